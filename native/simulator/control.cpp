#include "control.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "call.h"

namespace vram::simulator::control {
namespace {

Trigger TriggerOf(Occasion occasion) { return {occasion.after, occasion.sticky}; }

std::unique_lock<std::mutex> Lock() { return std::unique_lock(TheMachine().lock); }

}  // namespace

bool Reset(const std::vector<DeviceOptions>& devices, int driver_version) {
  std::vector<DeviceConfig> configs;
  for (const DeviceOptions& device : devices) {
    DeviceConfig& config = configs.emplace_back(DeviceConfig{device.memory_bytes, device.name, device.attributes, nullptr});
    if (!device.shared_memory_file) continue;
    config.shared_memory = SharedMemory::Open(*device.shared_memory_file);
    if (config.shared_memory == nullptr) return false;
  }
  const auto lock = Lock();
  TheMachine().Reset(std::move(configs), driver_version);
  return true;
}

bool IsEntryPoint(const std::string& name) {
  static constexpr std::array kNames = {
#define X(symbol, parameters) std::string_view(#symbol),
#include "../driver/entry_points.inc"
#undef X
  };
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

void FailCall(const std::string& entry_point, int code, Occasion occasion) {
  const auto lock = Lock();
  TheMachine().faults.calls[entry_point].push_back({TriggerOf(occasion), code});
}

bool FlipBit(std::uint64_t buffer_id, std::uint64_t byte_offset, int bit) {
  const auto lock = Lock();
  return simulator::FlipBit(TheMachine(), {{}, buffer_id, byte_offset, bit});
}

void FlipBitAt(std::uint64_t buffer_id, std::uint64_t byte_offset, int bit, const std::string& entry_point,
               std::uint64_t after) {
  const auto lock = Lock();
  TheMachine().faults.flips[entry_point].push_back({{after, false}, buffer_id, byte_offset, bit});
}

void SetPointerAttribute(int attribute, std::uint64_t value, int result) {
  const auto lock = Lock();
  TheMachine().faults.attributes[attribute] = {result, value};
}

void FaultCopy(Direction direction, CopyDefect defect, Occasion occasion) {
  const CopyMode mode = defect == CopyDefect::kDrop    ? CopyMode::kDrop
                        : defect == CopyDefect::kShort ? CopyMode::kShort
                                                       : CopyMode::kLate;
  const auto lock = Lock();
  Faults& faults = TheMachine().faults;
  (direction == Direction::kToDevice ? faults.to_device : faults.to_host).push_back({TriggerOf(occasion), mode});
}

void SkipKernel(Occasion occasion) {
  const auto lock = Lock();
  TheMachine().faults.skipped_kernels.push_back(TriggerOf(occasion));
}

void LoseDevices(int code) {
  const auto lock = Lock();
  for (Device& device : TheMachine().devices) device.lost = code;
}

void SetLatency(const std::string& entry_point, unsigned milliseconds) {
  const auto lock = Lock();
  TheMachine().faults.latency_ms[entry_point] = milliseconds;
}

void HashNatively(bool natively) {
  const auto lock = Lock();
  TheMachine().hashes_natively = natively;
}

Stats ReadStats() {
  const auto lock = Lock();
  const Machine& machine = TheMachine();
  Stats stats{};
  for (const auto& [base, mapping] : machine.mappings) {
    stats.allocations.push_back({mapping.buffer_id, mapping.bytes, mapping.AccessOf(mapping.memory->device())});
  }
  for (const FreedMemory& freed : machine.freed) stats.freed.push_back({freed.buffer_id, freed.zeroed});
  stats.reservations = machine.reservations.size();
  stats.streams = machine.streams.size();
  stats.modules = machine.modules.size();
  for (const Device& device : machine.devices) {
    stats.contexts += static_cast<std::uint64_t>(device.context_references);
    stats.allocated_bytes += device.used_bytes;
  }
  for (const auto& [memory, bytes] : machine.page_locked) stats.page_locked_bytes += bytes;
  stats.calls = machine.faults.counts;
  return stats;
}

}  // namespace vram::simulator::control
