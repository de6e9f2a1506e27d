#include "binding/allocation_operation.h"

#include <algorithm>

namespace vram::binding {

namespace {

Result<std::shared_ptr<AllocationRecord>> ReadIdleOfAnyDevice(const Environment& environment, Napi::Value handle) {
  auto allocation = ReadAllocation(environment, handle);
  if (allocation == nullptr) return InvalidInput("allocation must be a live allocation of this thread");
  if (allocation->busy) return InvalidInput("allocation must be idle: await the operation before");
  return allocation;
}

Result<AllocationOperation> BeginOn(Environment& environment, const Napi::CallbackInfo& info,
                                    Result<std::shared_ptr<AllocationRecord>> allocation, Napi::Function progress) {
  if (!allocation.ok()) return std::move(allocation).error();
  allocation.value()->busy = true;
  const auto [id, promise] = environment.Begin({{info[0]}, progress});
  return AllocationOperation{std::move(allocation).value(), id, promise};
}

}  // namespace

Result<std::shared_ptr<AllocationRecord>> ReadIdle(const Environment& environment, Napi::Value handle,
                                                   std::initializer_list<AllocationState> allowed) {
  auto allocation = ReadIdleOfAnyDevice(environment, handle);
  if (!allocation.ok()) return allocation;
  if (allocation.value()->device->closing) return InvalidInput("device must be open");
  if (std::find(allowed.begin(), allowed.end(), allocation.value()->state) == allowed.end()) {
    return InvalidInput("allocation must be in a state that allows this operation");
  }
  return allocation;
}

Result<AllocationOperation> AllocationOperation::Begin(Environment& environment, const Napi::CallbackInfo& info,
                                                       std::initializer_list<AllocationState> allowed,
                                                       Napi::Function progress) {
  return BeginOn(environment, info, ReadIdle(environment, info[0], allowed), progress);
}

Result<AllocationOperation> AllocationOperation::BeginRelease(Environment& environment, const Napi::CallbackInfo& info) {
  return BeginOn(environment, info, ReadIdleOfAnyDevice(environment, info[0]), {});
}

}  // namespace vram::binding
