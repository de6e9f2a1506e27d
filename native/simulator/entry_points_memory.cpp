// The driver's entry points for memory: the virtual-memory calls and pointer attributes.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "call.h"
#include "export.h"

using namespace vram::simulator;
namespace driver = vram::driver;

namespace {

bool IsGranular(std::size_t bytes) { return bytes != 0 && bytes % kGranularity == 0; }

bool IsDeviceMemory(const Machine& machine, const CUmemAllocationProp* p) {
  return p != nullptr && p->type == driver::kDeviceNonMigrating && p->location.type == driver::kLocationDevice &&
         p->location.id >= 0 && static_cast<std::size_t>(p->location.id) < machine.devices.size();
}

}  // namespace

SIM_EXPORT CUresult cuMemGetInfo_v2(size_t* free_bytes, size_t* total_bytes) {
  Call call("cuMemGetInfo_v2", Needs::kContext);
  if (call.refused()) return call.refused();
  if (free_bytes == nullptr || total_bytes == nullptr) return driver::kInvalidValue;
  *total_bytes = call.device().config.memory_bytes;
  *free_bytes = call.device().FreeBytes();
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuMemGetAllocationGranularity(size_t* granularity, const CUmemAllocationProp* properties, int option) {
  Call call("cuMemGetAllocationGranularity", Needs::kInitialized);
  if (call.refused()) return call.refused();
  if (granularity == nullptr || option < 0 || option > 1 || !IsDeviceMemory(call.machine(), properties))
    return driver::kInvalidValue;
  *granularity = kGranularity;
  return driver::kSuccess;
}

namespace {

// Physical memory of a device that has that much left, or null.
std::shared_ptr<PhysicalMemory> TakeMemory(Machine& machine, int ordinal, std::size_t bytes) {
  try {
    auto memory = std::make_shared<PhysicalMemory>(ordinal, bytes, machine.next_id++);
    return machine.devices[static_cast<std::size_t>(ordinal)].Take(bytes) ? memory : nullptr;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

SIM_EXPORT CUresult cuMemCreate(CUmemGenericAllocationHandle* handle, size_t bytes, const CUmemAllocationProp* properties,
                                unsigned long long flags) {
  Call call("cuMemCreate", Needs::kContext);
  if (call.refused()) return call.refused();
  Machine& machine = call.machine();
  if (handle == nullptr || flags != 0 || !IsGranular(bytes) || !IsDeviceMemory(machine, properties)) return driver::kInvalidValue;
  auto memory = TakeMemory(machine, properties->location.id, bytes);
  if (memory == nullptr) return driver::kOutOfMemory;
  *handle = memory->block_id();
  machine.handles[*handle] = std::move(memory);
  return driver::kSuccess;
}

namespace {

// Gives physical memory back to its device when neither a handle nor a mapping holds it any more.
void Drop(Machine& machine, std::shared_ptr<PhysicalMemory> memory, std::uint64_t buffer_id) {
  if (memory.use_count() > 1) return;
  machine.devices[static_cast<std::size_t>(memory->device())].Give(memory->bytes());
  machine.freed.push_back({buffer_id, memory->IsZero()});
}

void Unmap(Machine& machine, std::map<CUdeviceptr, Mapping>::iterator at) {
  Mapping mapping = std::move(at->second);
  machine.mappings.erase(at);
  Drop(machine, std::move(mapping.memory), mapping.buffer_id);
}

}  // namespace

SIM_EXPORT CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
  Call call("cuMemRelease", Needs::kContext);
  if (call.refused()) return call.refused();
  const auto found = call.machine().handles.extract(handle);
  if (found.empty()) return driver::kInvalidValue;
  Drop(call.machine(), std::move(found.mapped()), 0);
  return driver::kSuccess;
}

namespace {

// Within one reservation, and nothing of it mapped.
bool IsFreePlace(Machine& machine, CUdeviceptr address, std::size_t bytes) {
  const auto after = machine.reservations.upper_bound(address);
  if (after == machine.reservations.begin()) return false;
  const auto& [base, reserved] = *std::prev(after);
  const std::uint64_t place = address - base;
  if (place >= reserved || reserved - place < bytes || place % kGranularity != 0) return false;
  const auto next = machine.mappings.lower_bound(address);
  if (next != machine.mappings.end() && next->first < address + bytes) return false;
  return machine.Find(address, 1) == nullptr;
}

// Device addresses, or 0. The host reserves them too, without access: whoever follows one on the host crashes.
CUdeviceptr Reserve(std::size_t bytes, std::size_t alignment) {
  void* const room = mmap(nullptr, bytes + alignment, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return 0;
  const CUdeviceptr start = reinterpret_cast<CUdeviceptr>(room);
  const CUdeviceptr base = (start + alignment - 1) / alignment * alignment;
  if (base > start) munmap(room, base - start);
  munmap(reinterpret_cast<void*>(base + bytes), start + alignment - base);
  return base;
}

}  // namespace

SIM_EXPORT CUresult cuMemAddressReserve(CUdeviceptr* address, size_t bytes, size_t alignment, CUdeviceptr hint,
                                        unsigned long long flags) {
  Call call("cuMemAddressReserve", Needs::kContext);
  if (call.refused()) return call.refused();
  if (address == nullptr || !IsGranular(bytes) || flags != 0 || hint != 0 || (alignment & (alignment - 1)) != 0)
    return driver::kInvalidValue;
  const CUdeviceptr base = Reserve(bytes, std::max(alignment, kGranularity));
  if (base == 0) return driver::kOutOfMemory;
  call.machine().reservations[base] = bytes;
  *address = base;
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuMemAddressFree(CUdeviceptr address, size_t bytes) {
  Call call("cuMemAddressFree", Needs::kContext);
  if (call.refused()) return call.refused();
  Machine& machine = call.machine();
  const auto found = machine.reservations.find(address);
  if (found == machine.reservations.end() || found->second != bytes) return driver::kInvalidValue;
  const auto mapped = machine.mappings.lower_bound(address);
  if (mapped != machine.mappings.end() && mapped->first < address + bytes) return driver::kInvalidValue;
  munmap(reinterpret_cast<void*>(address), bytes);
  machine.reservations.erase(found);
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuMemMap(CUdeviceptr address, size_t bytes, size_t offset, CUmemGenericAllocationHandle handle,
                             unsigned long long flags) {
  Call call("cuMemMap", Needs::kContext);
  if (call.refused()) return call.refused();
  Machine& machine = call.machine();
  const auto memory = machine.handles.find(handle);
  if (memory == machine.handles.end() || offset != 0 || flags != 0 || bytes != memory->second->bytes())
    return driver::kInvalidValue;
  if (!IsFreePlace(machine, address, bytes)) return driver::kInvalidValue;
  machine.mappings[address] = Mapping{address, bytes, memory->second, machine.next_id++, {}, false};
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuMemUnmap(CUdeviceptr address, size_t bytes) {
  Call call("cuMemUnmap", Needs::kContext);
  if (call.refused()) return call.refused();
  Machine& machine = call.machine();
  // To unmap what is reserved and not mapped is no error on a device.
  if (IsFreePlace(machine, address, bytes)) return driver::kSuccess;
  const auto found = machine.mappings.find(address);
  if (found == machine.mappings.end() || found->second.bytes != bytes || found->second.linear) return driver::kInvalidValue;
  Unmap(machine, found);
  return driver::kSuccess;
}

// Linear memory, which vram-cuda never allocates, is there for engines: native code beside it that keeps inputs and results.
SIM_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  Call call("cuMemAlloc_v2", Needs::kContext);
  if (call.refused()) return call.refused();
  Machine& machine = call.machine();
  if (address == nullptr || bytes == 0) return driver::kInvalidValue;
  if (bytes > call.device().config.memory_bytes) return driver::kOutOfMemory;
  const std::size_t whole = (bytes + kGranularity - 1) / kGranularity * kGranularity;
  const CUdeviceptr base = Reserve(whole, kGranularity);
  auto memory = base == 0 ? nullptr : TakeMemory(machine, call.ordinal(), whole);
  if (memory == nullptr) {
    if (base != 0) munmap(reinterpret_cast<void*>(base), whole);
    return driver::kOutOfMemory;
  }
  machine.reservations[base] = whole;
  machine.mappings[base] =
      Mapping{base, whole, std::move(memory), machine.next_id++, {{call.ordinal(), driver::kAccessReadWrite}}, true};
  *address = base;
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  Call call("cuMemFree_v2", Needs::kContext);
  if (call.refused()) return call.refused();
  Machine& machine = call.machine();
  const auto found = machine.mappings.find(address);
  if (found == machine.mappings.end() || !found->second.linear) return driver::kInvalidValue;
  munmap(reinterpret_cast<void*>(address), found->second.bytes);
  machine.reservations.erase(address);
  Unmap(machine, found);
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuMemSetAccess(CUdeviceptr address, size_t bytes, const CUmemAccessDesc* descriptors, size_t count) {
  Call call("cuMemSetAccess", Needs::kContext);
  if (call.refused()) return call.refused();
  Machine& machine = call.machine();
  const auto found = machine.mappings.find(address);
  if (found == machine.mappings.end() || found->second.bytes != bytes || descriptors == nullptr || count == 0)
    return driver::kInvalidValue;
  for (std::size_t k = 0; k < count; ++k) {
    const auto& [location, flags] = descriptors[k];
    const bool known = flags == driver::kAccessNone || flags == driver::kAccessRead || flags == driver::kAccessReadWrite;
    if (location.type != driver::kLocationDevice || !known) return driver::kInvalidValue;
    if (location.id < 0 || static_cast<std::size_t>(location.id) >= machine.devices.size()) return driver::kInvalidDevice;
    found->second.access[location.id] = flags;
  }
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuMemGetAccess(unsigned long long* flags, const CUmemLocation* location, CUdeviceptr address) {
  Call call("cuMemGetAccess", Needs::kContext);
  if (call.refused()) return call.refused();
  const Mapping* const mapping = call.machine().Find(address, 1);
  if (flags == nullptr || location == nullptr || location->type != driver::kLocationDevice || mapping == nullptr)
    return driver::kInvalidValue;
  *flags = static_cast<unsigned long long>(mapping->AccessOf(location->id));
  return driver::kSuccess;
}

namespace {

template <typename T>
CUresult Answer(void* value, T answer) {
  std::memcpy(value, &answer, sizeof answer);
  return driver::kSuccess;
}

// Writes a value in the attribute's own width.
CUresult AnswerAttribute(void* value, int attribute, std::uint64_t answer) {
  switch (attribute) {
    case driver::kPointerHostPointer:
    case driver::kPointerBufferId:
    case driver::kPointerRangeStart:
    case driver::kPointerRangeSize:
    case driver::kPointerAllowedHandleTypes:
    case driver::kPointerMempoolHandle:
    case driver::kPointerMemoryBlockId:
      return Answer(value, answer);
    case driver::kPointerIsManaged:
    case driver::kPointerIsLegacyIpcCapable:
    case driver::kPointerIsGpuDirectRdmaCapable:
    case driver::kPointerMemoryType:
    case driver::kPointerDeviceOrdinal:
    case driver::kPointerAccessFlags:
      return Answer(value, static_cast<std::uint32_t>(answer));
    default:
      return driver::kInvalidValue;
  }
}

}  // namespace

SIM_EXPORT CUresult cuPointerGetAttribute(void* value, int attribute, CUdeviceptr address) {
  Call call("cuPointerGetAttribute", Needs::kContext);
  if (call.refused()) return call.refused();
  const Mapping* const mapping = call.machine().Find(address, 1);
  if (value == nullptr || mapping == nullptr) return driver::kInvalidValue;
  const auto& overrides = call.machine().faults.attributes;
  if (const auto found = overrides.find(attribute); found != overrides.end()) {
    if (found->second.result != driver::kSuccess) return found->second.result;
    return AnswerAttribute(value, attribute, found->second.value);
  }
  switch (attribute) {
    case driver::kPointerMemoryType: return AnswerAttribute(value, attribute, driver::kMemoryTypeDevice);
    case driver::kPointerHostPointer: return driver::kInvalidValue;
    case driver::kPointerBufferId: return AnswerAttribute(value, attribute, mapping->buffer_id);
    case driver::kPointerDeviceOrdinal:
      return AnswerAttribute(value, attribute, static_cast<std::uint64_t>(mapping->memory->device()));
    case driver::kPointerRangeStart: return AnswerAttribute(value, attribute, mapping->base);
    case driver::kPointerRangeSize: return AnswerAttribute(value, attribute, mapping->bytes);
    case driver::kPointerAccessFlags:
      return AnswerAttribute(value, attribute, static_cast<std::uint64_t>(mapping->AccessOf(call.ordinal())));
    case driver::kPointerMemoryBlockId: return AnswerAttribute(value, attribute, mapping->memory->block_id());
    default: return AnswerAttribute(value, attribute, 0);
  }
}
