#include "machine.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace vram::simulator {

PhysicalMemory::PhysicalMemory(int device, std::size_t bytes, std::uint64_t block_id)
    : device_(device), bytes_(bytes), block_id_(block_id) {
  void* const host = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (host == MAP_FAILED) throw std::bad_alloc();
  host_ = static_cast<unsigned char*>(host);
}

PhysicalMemory::~PhysicalMemory() { munmap(host_, bytes_); }

bool PhysicalMemory::IsZero() const {
  return host_[0] == 0 && std::memcmp(host_, host_ + 1, bytes_ - 1) == 0;
}

std::size_t Device::FreeBytes() const {
  const std::size_t used = config.shared_memory ? config.shared_memory->UsedBytes() : used_bytes;
  return config.memory_bytes - std::min(used, config.memory_bytes);
}

bool Device::Take(std::size_t bytes) {
  const bool taken = config.shared_memory ? config.shared_memory->Take(bytes, config.memory_bytes) : bytes <= FreeBytes();
  if (taken) used_bytes += bytes;
  return taken;
}

void Device::Give(std::size_t bytes) {
  used_bytes -= bytes;
  if (config.shared_memory) config.shared_memory->Give(bytes);
}

Machine::Machine() { Reset({DeviceConfig{}}, driver_version); }

void Machine::Reset(std::vector<DeviceConfig> configs, int version) {
  for (const auto& [base, bytes] : reservations) munmap(reinterpret_cast<void*>(base), bytes);
  initialized = false;
  driver_version = version;
  devices.clear();
  for (DeviceConfig& config : configs) devices.push_back({std::move(config)});
  handles.clear();
  reservations.clear();
  mappings.clear();
  streams.clear();
  modules.clear();
  late_copies.clear();
  page_locked.clear();
  hashes_natively = false;
  freed.clear();
  faults = Faults{};
}

Mapping* Machine::Find(CUdeviceptr address, std::size_t bytes) {
  auto after = mappings.upper_bound(address);
  if (after == mappings.begin()) return nullptr;
  Mapping& mapping = std::prev(after)->second;
  const std::uint64_t offset = address - mapping.base;
  return offset < mapping.bytes && mapping.bytes - offset >= bytes ? &mapping : nullptr;
}

Mapping* Machine::FindBuffer(std::uint64_t buffer_id) {
  for (auto& [base, mapping] : mappings) {
    if (mapping.buffer_id == buffer_id) return &mapping;
  }
  return nullptr;
}

Machine& TheMachine() {
  static Machine machine;
  return machine;
}

}  // namespace vram::simulator
