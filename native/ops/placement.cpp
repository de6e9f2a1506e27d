#include "ops/placement.h"

#include <climits>

namespace vram::ops {
namespace {

using driver::PointerAttribute;

class PlacementReader {
 public:
  PlacementReader(device::Context& context, const device::Mapping& mapping) : context_(context), mapping_(mapping) {}

  std::optional<std::uint64_t> Value(PointerAttribute attribute) { return Known(context_.ReadAttribute(mapping_, attribute)); }
  std::optional<bool> Flag(PointerAttribute attribute) { return Known(context_.ReadFlag(mapping_, attribute)); }
  std::optional<bool> Pointer(PointerAttribute attribute) { return Known(context_.HasPointer(mapping_, attribute)); }

  std::optional<MemoryType> Type() {
    const std::optional<std::uint64_t> type = Value(driver::kPointerMemoryType);
    if (!type) return std::nullopt;
    switch (*type) {
      case driver::kMemoryTypeHost: return MemoryType::kHost;
      case driver::kMemoryTypeDevice: return MemoryType::kDevice;
      case driver::kMemoryTypeArray: return MemoryType::kArray;
      case driver::kMemoryTypeUnified: return MemoryType::kUnified;
      default: return MemoryType::kUnknown;
    }
  }

  /// A refusal is the good answer: device memory has no host address to give.
  std::optional<bool> HostPointer() {
    const Result<bool> pointer = context_.HasPointer(mapping_, driver::kPointerHostPointer);
    if (pointer.ok()) return pointer.value();
    const std::optional<DriverAnswer>& answer = pointer.error().answer;
    const bool refused = answer && (answer->result == driver::kInvalidValue || answer->result == driver::kNotSupported);
    return refused ? std::optional(false) : std::nullopt;
  }

  std::optional<int> Ordinal() {
    const std::optional<std::uint64_t> ordinal = Value(driver::kPointerDeviceOrdinal);
    return ordinal && *ordinal <= INT_MAX ? std::optional(static_cast<int>(*ordinal)) : std::nullopt;
  }

  std::optional<AccessFlags> Access() {
    const std::optional<std::uint64_t> flags = Value(driver::kPointerAccessFlags);
    if (!flags) return std::nullopt;
    switch (*flags) {
      case std::uint64_t{driver::kAccessNone}: return AccessFlags::kNone;
      case std::uint64_t{driver::kAccessRead}: return AccessFlags::kRead;
      case std::uint64_t{driver::kAccessReadWrite}: return AccessFlags::kReadWrite;
      default: return std::nullopt;
    }
  }

  std::optional<bool> AccessibleFromOthers() {
    const std::optional<int> count = Known(context_.DeviceCount());
    if (!count) return std::nullopt;
    for (int ordinal = 0; ordinal < *count; ++ordinal) {
      if (ordinal == context_.ordinal()) continue;
      const std::optional<std::uint64_t> flags = Known(context_.AccessFrom(mapping_, ordinal));
      if (!flags) return std::nullopt;
      if (*flags != driver::kAccessNone) return true;
    }
    return false;
  }

  std::optional<bool> RangeCovers() { return Known(context_.RangeCoversAllocation(mapping_)); }

 private:
  template <class T>
  static std::optional<T> Known(const Result<T>& result) {
    return result.ok() ? std::optional(result.value()) : std::nullopt;
  }

  device::Context& context_;
  const device::Mapping& mapping_;
};

}  // namespace

bool IsOfMapping(const Placement& placement, const device::Mapping& mapping) {
  const bool same = !mapping.buffer_id() || placement.buffer_id == mapping.buffer_id();
  return same && placement.buffer_id && placement.memory_type == MemoryType::kDevice && placement.range_covers_allocation == true;
}

Result<Placement> ReadPlacement(device::Context& context, const device::Mapping& mapping) {
  if (!mapping.mapped() && !context.lost()) return InvalidInput("The allocation has been released");
  PlacementReader reader(context, mapping);
  Placement placement;
  placement.memory_type = reader.Type();
  placement.is_managed = reader.Flag(driver::kPointerIsManaged);
  placement.host_pointer = reader.HostPointer();
  placement.device_ordinal = reader.Ordinal();
  placement.range_covers_allocation = reader.RangeCovers();
  placement.allowed_handle_types = reader.Value(driver::kPointerAllowedHandleTypes);
  placement.legacy_ipc_capable = reader.Flag(driver::kPointerIsLegacyIpcCapable);
  placement.gpu_direct_rdma_capable = reader.Flag(driver::kPointerIsGpuDirectRdmaCapable);
  placement.mempool = reader.Pointer(driver::kPointerMempoolHandle);
  placement.access = reader.Access();
  placement.accessible_from_other_devices = reader.AccessibleFromOthers();
  placement.buffer_id = reader.Value(driver::kPointerBufferId);
  placement.block_id = reader.Value(driver::kPointerMemoryBlockId);
  // A lost device is an error of its own, not a list of facts that could not be read.
  if (context.lost()) {
    Status lost = context.Synchronize();
    if (!lost.ok()) return std::move(lost).error();
  }
  return placement;
}

}  // namespace vram::ops
