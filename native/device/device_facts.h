// What the driver says about a device before it is opened. An empty fact could not be read.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/result.h"
#include "driver/table.h"

namespace vram::device {

struct DeviceFacts {
  int ordinal;
  std::string uuid;
  std::string name;
  std::uint64_t total_bytes;
  std::optional<std::string> compute_capability;
  std::optional<int> multiprocessor_count;
  std::optional<int> integrated;
  std::optional<int> pageable_memory_access_uses_host_page_tables;
  std::optional<int> direct_managed_mem_access_from_host;
  std::optional<int> numa_config;
  std::optional<int> virtual_memory_management;
  std::optional<int> ecc;
  std::optional<int> mps;
  std::optional<int> compute_mode;
  std::optional<int> gpu_direct_rdma;
  std::optional<int> unified_addressing;
  std::optional<int> managed_memory;
  std::optional<int> concurrent_managed_access;
  std::optional<int> can_map_host_memory;
  std::optional<int> pageable_memory_access;
};

/// Reads every visible device, in the driver's order.
Result<std::vector<DeviceFacts>> ReadDevices(const driver::Table& table);

}  // namespace vram::device
