#include "device/device_facts.h"

#include <climits>

#include "device/caller.h"

namespace vram::device {
namespace {

constexpr int kLongestName = 256;

std::string UuidText(const CUuuid& uuid) {
  constexpr const char* kHex = "0123456789abcdef";
  std::string text = "GPU";
  for (std::size_t i = 0; i < sizeof uuid.bytes; ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(kHex[uuid.bytes[i] >> 4]);
    text.push_back(kHex[uuid.bytes[i] & 15]);
  }
  return text;
}

/// Keeps printable ASCII: the name goes into logs.
std::string PlainName(const char* name) {
  std::string plain;
  for (const char* c = name; *c != '\0'; ++c) {
    if (*c >= ' ' && *c <= '~') plain.push_back(*c);
  }
  return plain;
}

std::optional<int> ReadAttribute(Caller& caller, CUdevice device, int attribute) {
  int value = INT_MIN;
  const Status read = VRAM_CALL(caller, Code::kCudaFailed, cuDeviceGetAttribute, &value, attribute, device);
  return read.ok() && value != INT_MIN ? std::optional(value) : std::nullopt;
}

Status ReadIdentity(Caller& caller, CUdevice device, DeviceFacts& facts) {
  char name[kLongestName] = {};
  Status done = VRAM_CALL(caller, Code::kCudaFailed, cuDeviceGetName, name, kLongestName - 1, device);
  if (!done.ok()) return done;
  CUuuid uuid = {};
  done = VRAM_CALL(caller, Code::kCudaFailed, cuDeviceGetUuid_v2, &uuid, device);
  if (!done.ok()) return done;
  std::size_t total_bytes = 0;
  done = VRAM_CALL(caller, Code::kCudaFailed, cuDeviceTotalMem_v2, &total_bytes, device);
  if (!done.ok()) return done;
  facts.name = PlainName(name);
  facts.uuid = UuidText(uuid);
  facts.total_bytes = total_bytes;
  return Done{};
}

void ReadAttributes(Caller& caller, CUdevice device, DeviceFacts& facts) {
  const auto read = [&](int attribute) { return ReadAttribute(caller, device, attribute); };
  const std::optional<int> major = read(driver::kAttrComputeCapabilityMajor);
  const std::optional<int> minor = read(driver::kAttrComputeCapabilityMinor);
  if (major && minor) facts.compute_capability = std::to_string(*major) + "." + std::to_string(*minor);
  facts.multiprocessor_count = read(driver::kAttrMultiprocessorCount);
  facts.integrated = read(driver::kAttrIntegrated);
  facts.pageable_memory_access_uses_host_page_tables = read(driver::kAttrPageableMemoryAccessUsesHostPageTables);
  facts.direct_managed_mem_access_from_host = read(driver::kAttrDirectManagedMemAccessFromHost);
  facts.numa_config = read(driver::kAttrNumaConfig);
  facts.virtual_memory_management = read(driver::kAttrVirtualMemoryManagement);
  facts.ecc = read(driver::kAttrEccEnabled);
  facts.mps = read(driver::kAttrMpsEnabled);
  facts.compute_mode = read(driver::kAttrComputeMode);
  facts.gpu_direct_rdma = read(driver::kAttrGpuDirectRdma);
  facts.unified_addressing = read(driver::kAttrUnifiedAddressing);
  facts.managed_memory = read(driver::kAttrManagedMemory);
  facts.concurrent_managed_access = read(driver::kAttrConcurrentManagedAccess);
  facts.can_map_host_memory = read(driver::kAttrCanMapHostMemory);
  facts.pageable_memory_access = read(driver::kAttrPageableMemoryAccess);
}

}  // namespace

Result<std::vector<DeviceFacts>> ReadDevices(const driver::Table& table) {
  Caller caller(table);
  int count = 0;
  Status done = VRAM_CALL(caller, Code::kCudaFailed, cuDeviceGetCount, &count);
  if (!done.ok()) return std::move(done).error();
  std::vector<DeviceFacts> devices;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    CUdevice device = 0;
    done = VRAM_CALL(caller, Code::kCudaFailed, cuDeviceGet, &device, ordinal);
    if (!done.ok()) return std::move(done).error();
    DeviceFacts facts = {};
    facts.ordinal = ordinal;
    done = ReadIdentity(caller, device, facts);
    if (!done.ok()) return std::move(done).error();
    ReadAttributes(caller, device, facts);
    devices.push_back(std::move(facts));
  }
  return devices;
}

}  // namespace vram::device
