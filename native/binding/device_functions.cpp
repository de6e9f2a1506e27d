// Functions on a device.
#include "binding/arguments.h"
#include "binding/device_job.h"
#include "binding/functions.h"
#include "binding/teardown.h"
#include "device/kernel_image.h"
#include "ops/hex.h"
#include "ops/known_answer.h"

namespace vram::binding {
namespace {

Error NoDevice() { return InvalidInput("device must be an open device of this thread"); }

Status OpenOnItsThread(DeviceRecord& device) {
  Status opened = device.context.Open(device.ordinal);
  if (!opened.ok()) return opened;
  auto workspace = device::Workspace::Create(device.context, device::kDefaultWindowBytes);
  if (!workspace.ok()) {
    device.context.Close();
    return std::move(workspace).error();
  }
  device.workspace = std::move(workspace).value();
  Status tested = ops::RunKnownAnswerTest(device.context, *device.workspace);
  if (tested.ok()) return tested;
  device.workspace.reset();
  device.context.Close();
  return tested;
}

Napi::Array FailuresValue(Napi::Env env, device::FailureList& failures) {
  Napi::Array list = Napi::Array::New(env);
  for (const device::TeardownFailure& failure : failures.Take()) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("bufferId", failure.buffer_id ? Napi::Value(Napi::String::New(env, std::to_string(*failure.buffer_id))) : env.Null());
    entry.Set("code", CodeName(failure.code));
    list.Set(list.Length(), entry);
  }
  return list;
}

/// Environment's thread: the device's thread has nothing more to do.
void Forget(Environment& environment, const std::shared_ptr<DeviceRecord>& device) {
  device->thread.Stop();
  device->allocations.clear();
  environment.open_devices.remove(device);
}

/// Nobody waits: what could not be given back is on the list that goes with the device.
void CloseUnwatched(Environment& environment, HandleKey key) {
  const std::shared_ptr<DeviceRecord> device = environment.devices.Remove(key);
  if (device == nullptr || environment.stopped()) return;
  CloseDevice(device, [&environment, device] {
    environment.Later([&environment, device](Napi::Env) { Forget(environment, device); });
  });
}

Napi::Value OpenedValue(Napi::Env env, Environment& environment, const std::shared_ptr<DeviceRecord>& device) {
  static const std::string kernel_sha256 =
      ops::Hex(ops::Sha256Of(std::as_bytes(std::span(device::kKernelImage, device::kKernelImageBytes))));
  Napi::Object value = Napi::Object::New(env);
  const HandleKey key = environment.devices.Add(device);
  value.Set("handle", MakeHandle(env, environment.shared_from_this(), HandleKind::kDevice, key, CloseUnwatched));
  value.Set("granularityBytes", NumberOf(env, device->context.granularity_bytes()));
  value.Set("workspaceBytes", NumberOf(env, device->workspace->mapping().allocated_bytes()));
  value.Set("kernelSha256", kernel_sha256);
  return ValueResult(env, value);
}

}  // namespace

Napi::Value OpenDevice(Environment& environment, const Napi::CallbackInfo& info) {
  const auto library = ReadDriver(environment, info[0]);
  if (library == nullptr) return ErrorResult(info.Env(), InvalidInput("driver must be an open driver of this thread"));
  const auto ordinal = ReadSmallInteger(info[1]);
  if (!ordinal) return ErrorResult(info.Env(), InvalidInput("ordinal must be an integer of at least 0"));
  const auto device = std::make_shared<DeviceRecord>(library, *ordinal);
  environment.open_devices.push_back(device);
  const auto [id, promise] = environment.Begin();
  PostSteps(environment, device, id, [&environment, device]() -> std::optional<Answer> {
    Status opened = device->closing ? Status(ops::Aborted()) : OpenOnItsThread(*device);
    return [&environment, device, opened](Napi::Env env) -> Napi::Value {
      if (opened.ok()) return OpenedValue(env, environment, device);
      Forget(environment, device);
      return ErrorResult(env, opened.error());
    };
  });
  return promise;
}

Napi::Value CloseDeviceHandle(Environment& environment, const Napi::CallbackInfo& info) {
  const auto key = ReadHandle(environment, HandleKind::kDevice, info[0]);
  const auto device = key ? environment.devices.Remove(*key) : nullptr;
  if (device == nullptr) return ErrorResult(info.Env(), NoDevice());
  const auto [id, promise] = environment.Begin();
  CloseDevice(device, [&environment, device, id = id] {
    environment.Settle(id, [&environment, device](Napi::Env env) {
      Forget(environment, device);
      return ValueResult(env, FailuresValue(env, *device->failures));
    });
  });
  return promise;
}

Napi::Value DeviceMemory(Environment& environment, const Napi::CallbackInfo& info) {
  const auto device = ReadDevice(environment, info[0]);
  if (device == nullptr) return ErrorResult(info.Env(), NoDevice());
  const auto [id, promise] = environment.Begin();
  PostSteps(environment, device, id, [device]() -> std::optional<Answer> {
    const auto memory = device->closing ? Result<device::MemoryInfo>(ops::Aborted()) : device->context.Memory();
    if (!memory.ok()) return FailedWith(memory.error());
    return [facts = memory.value()](Napi::Env env) {
      Napi::Object value = Napi::Object::New(env);
      value.Set("totalBytes", NumberOf(env, facts.total_bytes));
      value.Set("freeBytes", NumberOf(env, facts.free_bytes));
      return ValueResult(env, value);
    };
  });
  return promise;
}

Napi::Value TakeTeardownFailures(Environment& environment, const Napi::CallbackInfo& info) {
  const auto device = ReadDevice(environment, info[0]);
  if (device == nullptr) return ErrorResult(info.Env(), NoDevice());
  return ValueResult(info.Env(), FailuresValue(info.Env(), *device->failures));
}

}  // namespace vram::binding
