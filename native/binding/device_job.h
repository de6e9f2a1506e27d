// An operation that runs on a device's thread in steps.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include "binding/environment.h"
#include "ops/aborted.h"

namespace vram::binding {

inline Error OutOfHostMemory() { return {Code::kCudaFailed, "The operation failed on the host, which is out of memory"}; }

/// Posts `step` to the device's thread and settles the operation with the answer it gives; without one it runs again after
/// the jobs that wait. Whatever it throws becomes an error.
template <class Step>
void PostSteps(Environment& environment, const std::shared_ptr<DeviceRecord>& device, OperationId id, Step step) {
  const bool posted = device->thread.Post([&environment, id, step = std::move(step)]() mutable {
    std::optional<Answer> answer;
    try {
      answer = step();
    } catch (const std::exception&) {
      answer = FailedWith(OutOfHostMemory());
    }
    if (!answer) return device::Next::kAgain;
    environment.Settle(id, *std::move(answer));
    return device::Next::kDone;
  });
  if (!posted) environment.Settle(id, FailedWith(ops::Aborted()));
}

}  // namespace vram::binding
