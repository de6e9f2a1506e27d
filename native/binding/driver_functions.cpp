// Functions on the driver library, and what needs no device.
#include <cstdlib>

#include "binding/arguments.h"
#include "binding/facts_value.h"
#include "binding/functions.h"
#include "ops/hex.h"
#include "ops/library_digest.h"

namespace vram::binding {
namespace {

const char* BackendName(driver::Backend backend) {
  switch (backend) {
    case driver::Backend::kCuda: return "cuda";
    case driver::Backend::kSimulator: return "simulator";
    case driver::Backend::kCustom: return "custom";
  }
  return "custom";
}

Napi::Object InjectionVariables(Napi::Env env) {
  Napi::Object variables = Napi::Object::New(env);
  for (const char* name : {"CUDA_INJECTION64_PATH", "CUDA_FORCE_PTX_JIT", "LD_PRELOAD"}) {
    variables.Set(name, Napi::Boolean::New(env, std::getenv(name) != nullptr));
  }
  return variables;
}

Result<ops::Digest> DigestOf(const driver::Library& library) {
  if (library.file_path()) return ops::FileSha256(*library.file_path());
  return Error{Code::kDriverUnavailable, "The driver's entry points do not lie in one file"};
}

}  // namespace

Napi::Value OpenDriver(Environment& environment, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::optional<std::string> path;
  if (info[0].IsString()) {
    path = info[0].As<Napi::String>().Utf8Value();
  } else if (!info[0].IsNull()) {
    return ErrorResult(env, InvalidInput("libraryPath must be a string"));
  }
  auto library = driver::Library::Open(path);
  if (!library.ok()) return ErrorResult(env, library.error());
  const auto digest = DigestOf(*library.value());
  if (!digest.ok()) return ErrorResult(env, digest.error());

  const driver::Library& opened = *library.value();
  Napi::Object facts = Napi::Object::New(env);
  facts.Set("backend", BackendName(opened.backend()));
  facts.Set("driverVersion", std::to_string(opened.version() / 1000) + "." + std::to_string(opened.version() % 1000 / 10));
  facts.Set("libraryTrusted", Napi::Boolean::New(env, opened.trusted()));
  facts.Set("librarySha256", ops::Hex(digest.value()));
  facts.Set("environment", InjectionVariables(env));
  Napi::Object value = Napi::Object::New(env);
  const HandleKey key = environment.drivers.Add(std::move(library).value());
  value.Set("handle", MakeHandle(env, environment.shared_from_this(), HandleKind::kDriver, key,
                                 [](Environment& owner, HandleKey collected) { owner.drivers.Remove(collected); }));
  value.Set("facts", facts);
  return ValueResult(env, value);
}

Napi::Value Devices(Environment& environment, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto library = ReadDriver(environment, info[0]);
  if (library == nullptr) return ErrorResult(env, InvalidInput("driver must be an open driver of this thread"));
  const auto devices = device::ReadDevices(library->table());
  if (!devices.ok()) return ErrorResult(env, devices.error());
  Napi::Array list = Napi::Array::New(env);
  for (const device::DeviceFacts& facts : devices.value()) list.Set(list.Length(), DeviceFactsValue(env, facts));
  return ValueResult(env, list);
}

Napi::Value CreateCancel(Environment& environment, const Napi::CallbackInfo& info) {
  const HandleKey key = environment.cancels.Add(std::make_shared<CancelFlag>(false));
  return MakeHandle(info.Env(), environment.shared_from_this(), HandleKind::kCancel, key,
                    [](Environment& owner, HandleKey collected) { owner.cancels.Remove(collected); });
}

Napi::Value CancelOperation(Environment& environment, const Napi::CallbackInfo& info) {
  const auto cancel = ReadCancel(environment, info[0]);
  if (cancel && *cancel != nullptr) **cancel = true;
  return info.Env().Undefined();
}

Napi::Value Shutdown(Environment& environment, const Napi::CallbackInfo& info) {
  environment.Stop();
  return info.Env().Undefined();
}

}  // namespace vram::binding
