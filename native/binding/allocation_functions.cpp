// Functions on an allocation: made, frozen, described, released.
#include "binding/allocation_operation.h"
#include "binding/arguments.h"
#include "binding/facts_value.h"
#include "binding/functions.h"
#include "binding/teardown.h"

namespace vram::binding {
namespace {

void Drop(const std::shared_ptr<AllocationRecord>& allocation) { allocation->device->allocations.remove(allocation); }

/// JavaScript let go of an allocation that was not released. What fails stays with the device until it is closed.
void ReleaseUnwatched(Environment& environment, HandleKey key) {
  const std::shared_ptr<AllocationRecord> allocation = environment.allocations.Remove(key);
  if (allocation == nullptr || environment.stopped()) return;
  ReleaseAllocation(allocation, [&environment, allocation](const ops::ReleaseReport& report) {
    if (report.cause) {
      const auto buffer_id = allocation->mapping == nullptr ? std::nullopt : allocation->mapping->buffer_id();
      allocation->device->failures->Record(buffer_id, report.cause->code);
      if (!report.lost) return;
    }
    environment.Later([allocation](Napi::Env) { Drop(allocation); });
  });
}

/// Device thread.
Status MakeMemory(AllocationRecord& allocation, ops::Load& load, device::Extent extent) {
  if (allocation.device->closing) return ops::Aborted();
  auto mapping = allocation.device->context.Allocate(extent);
  if (!mapping.ok()) return std::move(mapping).error();
  Status prepared = load.Prepare(mapping.value());
  if (prepared.ok()) allocation.mapping = std::move(mapping).value();
  return prepared;
}

Napi::Value AllocatedValue(Napi::Env env, Environment& environment, const std::shared_ptr<AllocationRecord>& allocation) {
  Napi::Object value = Napi::Object::New(env);
  const HandleKey key = environment.allocations.Add(allocation);
  value.Set("handle", MakeHandle(env, environment.shared_from_this(), HandleKind::kAllocation, key, ReleaseUnwatched));
  value.Set("allocatedBytes", NumberOf(env, allocation->mapping->allocated_bytes()));
  return ValueResult(env, value);
}

Napi::Value ReportValue(Napi::Env env, const ops::ReleaseReport& report) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("wiped", Napi::Boolean::New(env, report.wiped));
  value.Set("freed", Napi::Boolean::New(env, report.freed));
  value.Set("lost", Napi::Boolean::New(env, report.lost));
  value.Set("wipeMs", report.wipe_ms ? Napi::Number::New(env, *report.wipe_ms) : env.Null());
  if (report.cause) value.Set("cause", ErrorResult(env, *report.cause).As<Napi::Object>().Get("error"));
  return ValueResult(env, value);
}

}  // namespace

Napi::Value Allocate(Environment& environment, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto device = ReadDevice(environment, info[0]);
  const auto byte_length = ReadInteger(info[1]);
  const auto lead_bytes = ReadInteger(info[2]);
  if (device == nullptr) return ErrorResult(env, InvalidInput("device must be an open device of this thread"));
  if (!byte_length || *byte_length == 0) return ErrorResult(env, InvalidInput("byteLength must be an integer from 1 to 2^53 - 1"));
  if (!lead_bytes) return ErrorResult(env, InvalidInput("leadBytes must be an integer from 0 to 2^53 - 1"));
  for (const unsigned flag : {3U, 4U, 5U}) {
    if (!info[flag].IsBoolean()) return ErrorResult(env, InvalidInput("fsverity, sha256 and pinned must be booleans"));
  }
  const auto flag = [&info](std::size_t index) { return info[index].As<Napi::Boolean>().Value(); };
  const ops::LoadOptions options = {.fsverity = flag(3), .sha256 = flag(4), .pinned = flag(5)};
  const device::Extent extent = {*byte_length, *lead_bytes};
  const auto allocation = std::make_shared<AllocationRecord>(device);
  const ops::Load::Threads threads = {device->thread, environment.io()};
  allocation->load = std::make_shared<ops::Load>(device->context, threads, *byte_length, options);
  device->allocations.push_back(allocation);
  const auto [id, promise] = environment.Begin({{info[0]}, {}});
  PostSteps(environment, device, id, [&environment, allocation, extent, load = allocation->load]() -> std::optional<Answer> {
    Status made = MakeMemory(*allocation, *load, extent);
    return [&environment, allocation, made](Napi::Env at) -> Napi::Value {
      // A device that was closed in the meantime has taken the memory back with it.
      if (!made.ok() || allocation->stopping) Drop(allocation);
      if (!made.ok()) return ErrorResult(at, made.error());
      if (allocation->stopping) return ErrorResult(at, ops::Aborted());
      return AllocatedValue(at, environment, allocation);
    };
  });
  return promise;
}

Napi::Value Freeze(Environment& environment, const Napi::CallbackInfo& info) {
  auto operation = AllocationOperation::Begin(environment, info, {AllocationState::kLoaded});
  if (!operation.ok()) return ErrorResult(info.Env(), operation.error());
  const auto allocation = operation.value().allocation;
  PostSteps(environment, allocation->device, operation.value().id, [allocation]() -> std::optional<Answer> {
    Status frozen = allocation->stopping ? Status(ops::Aborted()) : allocation->mapping->Freeze();
    return [allocation, frozen](Napi::Env env) {
      allocation->busy = false;
      if (!frozen.ok()) return ErrorResult(env, frozen.error());
      allocation->state = AllocationState::kFrozen;
      return ValueResult(env, env.Null());
    };
  });
  return operation.value().promise;
}

Napi::Value ReadPlacementFacts(Environment& environment, const Napi::CallbackInfo& info) {
  auto operation = AllocationOperation::Begin(
      environment, info, {AllocationState::kLoading, AllocationState::kLoaded, AllocationState::kFrozen});
  if (!operation.ok()) return ErrorResult(info.Env(), operation.error());
  const auto allocation = operation.value().allocation;
  PostSteps(environment, allocation->device, operation.value().id, [allocation]() -> std::optional<Answer> {
    auto placement = allocation->stopping ? Result<ops::Placement>(ops::Aborted())
                                          : ops::ReadPlacement(allocation->device->context, *allocation->mapping);
    return [allocation, placement](Napi::Env env) -> Napi::Value {
      allocation->busy = false;
      if (!placement.ok()) return ErrorResult(env, placement.error());
      return ValueResult(env, PlacementValue(env, placement.value()));
    };
  });
  return operation.value().promise;
}

Napi::Value Release(Environment& environment, const Napi::CallbackInfo& info) {
  const auto key = ReadHandle(environment, HandleKind::kAllocation, info[0]);
  auto operation = AllocationOperation::BeginRelease(environment, info);
  if (!operation.ok()) return ErrorResult(info.Env(), operation.error());
  const auto allocation = operation.value().allocation;
  allocation->state = AllocationState::kReleased;
  ReleaseAllocation(allocation, [&environment, allocation, key, id = operation.value().id](const ops::ReleaseReport& report) {
    environment.Settle(id, [&environment, allocation, key, report](Napi::Env env) {
      allocation->busy = false;
      if (!report.cause || report.lost) {
        environment.allocations.Remove(*key);
        Drop(allocation);
      }
      return ReportValue(env, report);
    });
  });
  return operation.value().promise;
}

}  // namespace vram::binding
