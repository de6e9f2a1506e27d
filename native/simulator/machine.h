// What the simulated driver knows: devices, memory, contexts and modules. One per process, behind one lock.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "../driver/abi.h"
#include "faults.h"
#include "ptx_interpreter.h"
#include "shared_memory.h"

namespace vram::simulator {

inline constexpr std::size_t kGranularity = std::size_t{2} << 20;

// Physical memory of a device, in lazily committed host memory that no device address leads to on the host.
class PhysicalMemory {
 public:
  PhysicalMemory(int device, std::size_t bytes, std::uint64_t block_id);
  ~PhysicalMemory();
  PhysicalMemory(const PhysicalMemory&) = delete;
  PhysicalMemory& operator=(const PhysicalMemory&) = delete;

  int device() const { return device_; }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t block_id() const { return block_id_; }
  unsigned char* host() const { return host_; }
  bool IsZero() const;

 private:
  int device_;
  std::size_t bytes_;
  std::uint64_t block_id_;
  unsigned char* host_ = nullptr;
};

struct Mapping {
  CUdeviceptr base = 0;
  std::size_t bytes = 0;
  std::shared_ptr<PhysicalMemory> memory;
  std::uint64_t buffer_id = 0;
  std::map<int, int> access;  // by device; absent is none
  bool linear = false;        // by cuMemAlloc

  int AccessOf(int device) const {
    const auto found = access.find(device);
    return found == access.end() ? driver::kAccessNone : found->second;
  }
};

struct DeviceConfig {
  std::size_t memory_bytes = std::size_t{2} << 30;
  std::string name = "Simulated GPU";
  std::map<int, int> attributes;
  std::shared_ptr<SharedMemory> shared_memory;  // null: the memory is this process's alone
};

struct Device {
  DeviceConfig config;
  std::size_t used_bytes = 0;  // by this process
  int context_references = 0;
  CUresult lost = driver::kSuccess;

  std::size_t FreeBytes() const;
  // False: so much is not free.
  bool Take(std::size_t bytes);
  void Give(std::size_t bytes);
};

struct LateCopy {
  unsigned char* destination;
  std::vector<unsigned char> bytes;
  std::shared_ptr<PhysicalMemory> keep;
};

struct Module {
  int device = 0;
  std::vector<std::shared_ptr<const Function>> functions;
};

struct FreedMemory {
  std::uint64_t buffer_id = 0;
  bool zeroed = false;
};

struct Machine {
  std::mutex lock;
  bool initialized = false;
  int driver_version = 12040;
  std::vector<Device> devices;
  std::map<CUmemGenericAllocationHandle, std::shared_ptr<PhysicalMemory>> handles;
  std::map<CUdeviceptr, std::size_t> reservations;
  std::map<CUdeviceptr, Mapping> mappings;
  std::set<CUstream> streams;
  std::map<CUmodule, Module> modules;
  std::vector<LateCopy> late_copies;
  std::map<const void*, std::size_t> page_locked;
  std::vector<FreedMemory> freed;
  std::uint64_t next_id = 1;  // never used twice, over all resets of the process
  Faults faults;
  bool hashes_natively = false;

  Machine();
  // Puts everything but the ids back to the beginning, with these devices.
  void Reset(std::vector<DeviceConfig> configs, int version);
  // The mapping that holds the range whole, or null.
  Mapping* Find(CUdeviceptr address, std::size_t bytes);
  Mapping* FindBuffer(std::uint64_t buffer_id);
};

Machine& TheMachine();

}  // namespace vram::simulator
