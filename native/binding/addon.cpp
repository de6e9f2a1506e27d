// The addon's entry: one environment for each JavaScript thread, and a frame around every call.
#include <napi.h>

#include <exception>

#include "binding/device_job.h"
#include "binding/environment.h"
#include "binding/functions.h"

namespace vram::binding {
namespace {

using Function = Napi::Value (*)(Environment&, const Napi::CallbackInfo&);
using Owner = std::shared_ptr<Environment>;

/// No C++ exception crosses into JavaScript, and no call reaches an environment that has ended.
template <Function function>
Napi::Value Framed(const Napi::CallbackInfo& info) {
  const Owner* owner = info.Env().GetInstanceData<Owner>();
  if (owner == nullptr || (*owner)->stopped()) return ErrorResult(info.Env(), ops::Aborted());
  try {
    return function(**owner, info);
  } catch (const std::exception&) {
    return ErrorResult(info.Env(), OutOfHostMemory());
  }
}

template <Function function>
void Export(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New(env, Framed<function>, name));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Owner environment = Environment::Create(env);
  if (environment == nullptr) return exports;
  env.SetInstanceData(new Owner(std::move(environment)));
  Export<OpenDriver>(env, exports, "openDriver");
  Export<Devices>(env, exports, "devices");
  Export<CreateCancel>(env, exports, "createCancel");
  Export<CancelOperation>(env, exports, "cancel");
  Export<Shutdown>(env, exports, "shutdown");
  Export<OpenDevice>(env, exports, "openDevice");
  Export<CloseDeviceHandle>(env, exports, "closeDevice");
  Export<DeviceMemory>(env, exports, "memory");
  Export<TakeTeardownFailures>(env, exports, "takeTeardownFailures");
  Export<DigestFile>(env, exports, "digestFile");
  Export<MeasureFile>(env, exports, "measureFile");
  Export<Allocate>(env, exports, "allocate");
  Export<Append>(env, exports, "append");
  Export<WhenRoom>(env, exports, "whenRoom");
  Export<AppendFile>(env, exports, "appendFile");
  Export<FinishLoad>(env, exports, "finishLoad");
  Export<Freeze>(env, exports, "freeze");
  Export<DigestInPlace>(env, exports, "digest");
  Export<Inspect>(env, exports, "inspect");
  Export<InspectRange>(env, exports, "inspectRange");
  Export<Locate>(env, exports, "locate");
  Export<RepairBlocks>(env, exports, "repair");
  Export<ReadPlacementFacts>(env, exports, "placement");
  Export<Release>(env, exports, "release");
  Export<MakeView>(env, exports, "view");
  Export<EndView>(env, exports, "endView");
  Export<InUse>(env, exports, "inUse");
  return exports;
}

}  // namespace

NODE_API_MODULE(vram_cuda, Init)

}  // namespace vram::binding
