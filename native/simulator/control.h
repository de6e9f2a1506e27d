// The explicit way to configure the simulated driver and to make it fail. Linked by the control addon and by tests; a
// program that loads the library through its driver interface alone never reaches it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#define SIM_CONTROL __attribute__((visibility("default")))

namespace vram::simulator::control {

struct DeviceOptions {
  std::uint64_t memory_bytes = std::uint64_t{2} << 30;
  std::string name = "Simulated GPU";
  std::map<int, int> attributes;
  // Processes that name the same file share the memory.
  std::optional<std::string> shared_memory_file = std::nullopt;
};

// Which occasion a fault applies to: the one after `after` others, or every one from there on.
struct Occasion {
  std::uint64_t after = 0;
  bool sticky = false;
};

enum class Direction { kToDevice, kToHost };
enum class CopyDefect { kDrop, kShort, kLate };

struct AllocationStats {
  std::uint64_t buffer_id;
  std::uint64_t byte_length;
  int access;
};

struct FreedStats {
  std::uint64_t buffer_id;
  bool zeroed;
};

struct Stats {
  std::vector<AllocationStats> allocations;
  std::vector<FreedStats> freed;
  std::uint64_t reservations;
  std::uint64_t contexts;
  std::uint64_t streams;
  std::uint64_t modules;
  std::uint64_t allocated_bytes;
  std::uint64_t page_locked_bytes;
  std::map<std::string, std::uint64_t> calls;
};

// Forgets everything: memory, faults, counts. Ids go on, so that none is ever used twice.
// False: a `shared_memory_file` cannot be had, and nothing was forgotten.
SIM_CONTROL bool Reset(const std::vector<DeviceOptions>& devices, int driver_version);
SIM_CONTROL bool IsEntryPoint(const std::string& name);
SIM_CONTROL void FailCall(const std::string& entry_point, int code, Occasion occasion);
// False: no such memory. The simulator's own memory changes; no call of the driver interface is made.
SIM_CONTROL bool FlipBit(std::uint64_t buffer_id, std::uint64_t byte_offset, int bit);
SIM_CONTROL void FlipBitAt(std::uint64_t buffer_id, std::uint64_t byte_offset, int bit, const std::string& entry_point,
                           std::uint64_t after);
SIM_CONTROL void SetPointerAttribute(int attribute, std::uint64_t value, int result);
SIM_CONTROL void FaultCopy(Direction direction, CopyDefect defect, Occasion occasion);
SIM_CONTROL void SkipKernel(Occasion occasion);
// Every device's context answers this code from now on.
SIM_CONTROL void LoseDevices(int code);
SIM_CONTROL void SetLatency(const std::string& entry_point, unsigned milliseconds);
// Whether the host's own hash stands in for the digest kernel, for measurements of what surrounds it.
SIM_CONTROL void HashNatively(bool natively);
SIM_CONTROL Stats ReadStats();

}  // namespace vram::simulator::control
