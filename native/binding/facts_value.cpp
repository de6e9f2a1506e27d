#include "binding/facts_value.h"

#include "binding/result_value.h"

namespace vram::binding {
namespace {

template <class T>
Napi::Value Flag(Napi::Env env, const std::optional<T>& flag) {
  return flag ? Napi::Value(Napi::Boolean::New(env, *flag != 0)) : env.Null();
}

Napi::Value Number(Napi::Env env, const std::optional<int>& number) {
  return number ? Napi::Value(Napi::Number::New(env, *number)) : env.Null();
}

Napi::Value Text(Napi::Env env, const std::optional<std::string>& text) {
  return text ? Napi::Value(Napi::String::New(env, *text)) : env.Null();
}

/// Ids use all of their 64 bits: decimal text.
Napi::Value Id(Napi::Env env, const std::optional<std::uint64_t>& id) {
  return id ? Napi::Value(Napi::String::New(env, std::to_string(*id))) : env.Null();
}

const char* Name(ops::MemoryType type) {
  switch (type) {
    case ops::MemoryType::kHost: return "host";
    case ops::MemoryType::kDevice: return "device";
    case ops::MemoryType::kArray: return "array";
    case ops::MemoryType::kUnified: return "unified";
    case ops::MemoryType::kUnknown: return "unknown";
  }
  return "unknown";
}

const char* Name(ops::AccessFlags access) {
  switch (access) {
    case ops::AccessFlags::kNone: return "none";
    case ops::AccessFlags::kRead: return "read";
    case ops::AccessFlags::kReadWrite: return "read-write";
  }
  return "none";
}

template <class T>
Napi::Value Named(Napi::Env env, const std::optional<T>& value) {
  return value ? Napi::Value(Napi::String::New(env, Name(*value))) : env.Null();
}

}  // namespace

Napi::Object DeviceFactsValue(Napi::Env env, const device::DeviceFacts& facts) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("ordinal", facts.ordinal);
  value.Set("uuid", facts.uuid);
  value.Set("name", facts.name);
  value.Set("totalBytes", NumberOf(env, facts.total_bytes));
  value.Set("computeCapability", Text(env, facts.compute_capability));
  value.Set("multiprocessorCount", Number(env, facts.multiprocessor_count));
  value.Set("integrated", Flag(env, facts.integrated));
  value.Set("pageableMemoryAccessUsesHostPageTables", Flag(env, facts.pageable_memory_access_uses_host_page_tables));
  value.Set("directManagedMemAccessFromHost", Flag(env, facts.direct_managed_mem_access_from_host));
  value.Set("numaConfig", Number(env, facts.numa_config));
  value.Set("virtualMemoryManagement", Flag(env, facts.virtual_memory_management));
  value.Set("ecc", Flag(env, facts.ecc));
  value.Set("mps", Flag(env, facts.mps));
  value.Set("computeMode", Number(env, facts.compute_mode));
  value.Set("gpuDirectRdma", Flag(env, facts.gpu_direct_rdma));
  value.Set("unifiedAddressing", Flag(env, facts.unified_addressing));
  value.Set("managedMemory", Flag(env, facts.managed_memory));
  value.Set("concurrentManagedAccess", Flag(env, facts.concurrent_managed_access));
  value.Set("canMapHostMemory", Flag(env, facts.can_map_host_memory));
  value.Set("pageableMemoryAccess", Flag(env, facts.pageable_memory_access));
  return value;
}

Napi::Object PlacementValue(Napi::Env env, const ops::Placement& placement) {
  Napi::Object value = Napi::Object::New(env);
  const auto& handle_types = placement.allowed_handle_types;
  value.Set("memoryType", Named(env, placement.memory_type));
  value.Set("isManaged", Flag(env, placement.is_managed));
  value.Set("hostPointer", Flag(env, placement.host_pointer));
  value.Set("deviceOrdinal", Number(env, placement.device_ordinal));
  value.Set("rangeCoversAllocation", Flag(env, placement.range_covers_allocation));
  value.Set("allowedHandleTypes", handle_types ? Napi::Value(NumberOf(env, *handle_types)) : env.Null());
  value.Set("legacyIpcCapable", Flag(env, placement.legacy_ipc_capable));
  value.Set("gpuDirectRdmaCapable", Flag(env, placement.gpu_direct_rdma_capable));
  value.Set("mempool", Flag(env, placement.mempool));
  value.Set("access", Named(env, placement.access));
  value.Set("accessibleFromOtherDevices", Flag(env, placement.accessible_from_other_devices));
  value.Set("bufferId", Id(env, placement.buffer_id));
  value.Set("blockId", Id(env, placement.block_id));
  return value;
}

}  // namespace vram::binding
