#include "call.h"

#include <chrono>
#include <thread>

namespace vram::simulator {

int& CurrentDevice() {
  thread_local int ordinal = -1;
  return ordinal;
}

bool IsSticky(CUresult result) {
  switch (result) {
    case driver::kDeviceUnavailable:
    case driver::kEccUncorrectable:
    case driver::kIllegalAddress:
    case driver::kMisalignedAddress:
    case driver::kLaunchFailed:
    case driver::kUnknown:
      return true;
    default:
      return false;
  }
}

bool FlipBit(Machine& machine, const BitFlip& flip) {
  Mapping* const mapping = machine.FindBuffer(flip.buffer_id);
  if (mapping == nullptr || flip.byte_offset >= mapping->bytes) return false;
  mapping->memory->host()[flip.byte_offset] ^= static_cast<unsigned char>(1u << flip.bit);
  return true;
}

Call::Call(const char* entry_point, Needs needs)
    : machine_(TheMachine()), lock_(machine_.lock), refused_(Refuse(entry_point, needs)) {}

Device& Call::device() const { return machine_.devices[static_cast<std::size_t>(CurrentDevice())]; }
int Call::ordinal() const { return CurrentDevice(); }

CUresult Call::Refuse(const char* entry_point, Needs needs) {
  Faults& faults = machine_.faults;
  ++faults.counts[entry_point];
  if (const auto found = faults.latency_ms.find(entry_point); found != faults.latency_ms.end()) {
    const std::chrono::milliseconds delay(found->second);
    lock_.unlock();
    std::this_thread::sleep_for(delay);
    lock_.lock();
  }
  if (const auto found = faults.flips.find(entry_point); found != faults.flips.end()) {
    for (BitFlip& flip : found->second) {
      if (flip.trigger.Fires()) FlipBit(machine_, flip);
    }
  }
  if (needs != Needs::kNothing && !machine_.initialized) return driver::kNotInitialized;
  if (needs == Needs::kContext) {
    const int current = CurrentDevice();
    if (current < 0 || static_cast<std::size_t>(current) >= machine_.devices.size() || device().context_references == 0)
      return driver::kInvalidContext;
    if (device().lost != driver::kSuccess) return device().lost;
  }
  if (const auto found = faults.calls.find(entry_point); found != faults.calls.end()) {
    for (CallFault& fault : found->second) {
      if (!fault.trigger.Fires()) continue;
      if (needs == Needs::kContext && IsSticky(fault.code)) device().lost = fault.code;
      return fault.code;
    }
  }
  return driver::kSuccess;
}

}  // namespace vram::simulator
