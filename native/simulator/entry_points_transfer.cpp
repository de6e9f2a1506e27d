// The driver's entry points that move bytes: copies and sets.
#include <algorithm>
#include <cstring>

#include "call.h"
#include "export.h"

using namespace vram::simulator;
namespace driver = vram::driver;

namespace {

// The first fault of the list that applies to this copy.
const CopyFault* Firing(std::vector<CopyFault>& faults) {
  for (CopyFault& fault : faults) {
    if (fault.trigger.Fires()) return &fault;
  }
  return nullptr;
}

// The host's side of a range that the current device may read (or write); null refuses the call. That a write to a
// read-only mapping is refused so, and not by a sticky fault, is an assumption until run on a GPU.
unsigned char* Reach(Call& call, CUdeviceptr address, std::size_t bytes, int access) {
  const Mapping* const mapping = call.machine().Find(address, bytes);
  if (mapping == nullptr || (mapping->AccessOf(call.ordinal()) & access) != access) return nullptr;
  return mapping->memory->host() + (address - mapping->base);
}

template <typename T>
CUresult Set(Call& call, CUdeviceptr address, T value, std::size_t count) {
  if (count == 0) return driver::kSuccess;
  if (address % sizeof(T) != 0 || count > SIZE_MAX / sizeof(T)) return driver::kInvalidValue;
  unsigned char* const host = Reach(call, address, count * sizeof(T), driver::kAccessReadWrite);
  if (host == nullptr) return driver::kInvalidValue;
  if constexpr (sizeof(T) == 1) {
    std::memset(host, value, count);
  } else {
    std::fill_n(reinterpret_cast<T*>(host), count, value);
  }
  return driver::kSuccess;
}

}  // namespace

SIM_EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr destination, const void* source, size_t bytes, CUstream stream) {
  Call call("cuMemcpyHtoDAsync_v2", Needs::kContext);
  if (call.refused()) return call.refused();
  Machine& machine = call.machine();
  if (!machine.streams.contains(stream)) return driver::kInvalidHandle;
  if (bytes == 0) return driver::kSuccess;
  unsigned char* const host = Reach(call, destination, bytes, driver::kAccessReadWrite);
  if (host == nullptr || source == nullptr) return driver::kInvalidValue;
  const CopyFault* const fault = Firing(machine.faults.to_device);
  if (fault == nullptr) {
    std::memcpy(host, source, bytes);
  } else if (fault->mode == CopyMode::kShort) {
    std::memcpy(host, source, bytes / 2);
  } else if (fault->mode == CopyMode::kLate) {
    const auto* const from = static_cast<const unsigned char*>(source);
    machine.late_copies.push_back({host, {from, from + bytes}, machine.Find(destination, bytes)->memory});
  }
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuMemcpyDtoHAsync_v2(void* destination, CUdeviceptr source, size_t bytes, CUstream stream) {
  Call call("cuMemcpyDtoHAsync_v2", Needs::kContext);
  if (call.refused()) return call.refused();
  Machine& machine = call.machine();
  if (!machine.streams.contains(stream)) return driver::kInvalidHandle;
  if (bytes == 0) return driver::kSuccess;
  const unsigned char* const host = Reach(call, source, bytes, driver::kAccessRead);
  if (host == nullptr || destination == nullptr) return driver::kInvalidValue;
  const CopyFault* const fault = Firing(machine.faults.to_host);
  if (fault == nullptr) {
    std::memcpy(destination, host, bytes);
  } else if (fault->mode == CopyMode::kShort) {
    std::memcpy(destination, host, bytes / 2);
  } else if (fault->mode == CopyMode::kLate) {
    machine.late_copies.push_back({static_cast<unsigned char*>(destination), {host, host + bytes}, nullptr});
  }
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuMemsetD8Async(CUdeviceptr address, unsigned char value, size_t count, CUstream stream) {
  Call call("cuMemsetD8Async", Needs::kContext);
  if (call.refused()) return call.refused();
  if (!call.machine().streams.contains(stream)) return driver::kInvalidHandle;
  return Set(call, address, value, count);
}

SIM_EXPORT CUresult cuMemsetD32Async(CUdeviceptr address, unsigned value, size_t count, CUstream stream) {
  Call call("cuMemsetD32Async", Needs::kContext);
  if (call.refused()) return call.refused();
  if (!call.machine().streams.contains(stream)) return driver::kInvalidHandle;
  return Set(call, address, value, count);
}
