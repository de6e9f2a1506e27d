// The start of an operation on an allocation: the handle is live, the state is right, nothing else runs on it.
#pragma once

#include <napi.h>

#include <initializer_list>

#include "binding/arguments.h"
#include "binding/device_job.h"
#include "driver/result.h"

namespace vram::binding {

struct AllocationOperation {
  std::shared_ptr<AllocationRecord> allocation;
  OperationId id;
  Napi::Promise promise;

  /// The handle is the first argument; it stays reachable until the operation is settled. Whoever settles it clears `busy`.
  static Result<AllocationOperation> Begin(Environment& environment, const Napi::CallbackInfo& info,
                                           std::initializer_list<AllocationState> allowed, Napi::Function progress = {});
  /// The same for a release, which is allowed in every state and also after the device was closed.
  static Result<AllocationOperation> BeginRelease(Environment& environment, const Napi::CallbackInfo& info);
};

inline Error NoKeptTree() { return InvalidInput("allocation must have a kept tree: digest it with keepTree first"); }

/// The allocation of a handle, in one of the states, of an open device, with nothing running on it.
Result<std::shared_ptr<AllocationRecord>> ReadIdle(const Environment& environment, Napi::Value handle,
                                                   std::initializer_list<AllocationState> allowed);

}  // namespace vram::binding
