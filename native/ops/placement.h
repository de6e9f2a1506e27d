// Where an allocation lies, as the driver tells it, each fact read by itself.
#pragma once

#include <cstdint>
#include <optional>

#include "device/context.h"

namespace vram::ops {

enum class MemoryType { kHost, kDevice, kArray, kUnified, kUnknown };
enum class AccessFlags { kNone, kRead, kReadWrite };

/// An empty fact could not be read.
struct Placement {
  std::optional<MemoryType> memory_type;
  std::optional<bool> is_managed;
  std::optional<bool> host_pointer;
  std::optional<int> device_ordinal;
  std::optional<bool> range_covers_allocation;
  std::optional<std::uint64_t> allowed_handle_types;
  std::optional<bool> legacy_ipc_capable;
  std::optional<bool> gpu_direct_rdma_capable;
  std::optional<bool> mempool;
  std::optional<AccessFlags> access;
  std::optional<bool> accessible_from_other_devices;
  std::optional<std::uint64_t> buffer_id;
  std::optional<std::uint64_t> block_id;
};

/// Whether the driver tells of the memory that the mapping was made with: then it can be read.
bool IsOfMapping(const Placement& placement, const device::Mapping& mapping);

/// Facts, or the error when the device is lost or the allocation has been released.
Result<Placement> ReadPlacement(device::Context& context, const device::Mapping& mapping);

}  // namespace vram::ops
