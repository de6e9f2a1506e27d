// The functions JavaScript can call. Each answers with a result object, or a promise of one.
#pragma once

#include <napi.h>

#include "binding/environment.h"

namespace vram::binding {

Napi::Value OpenDriver(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value Devices(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value CreateCancel(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value CancelOperation(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value DigestFile(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value MeasureFile(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value Shutdown(Environment& environment, const Napi::CallbackInfo& info);

Napi::Value OpenDevice(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value CloseDeviceHandle(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value DeviceMemory(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value TakeTeardownFailures(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value Allocate(Environment& environment, const Napi::CallbackInfo& info);

Napi::Value Append(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value WhenRoom(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value AppendFile(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value FinishLoad(Environment& environment, const Napi::CallbackInfo& info);

Napi::Value Freeze(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value DigestInPlace(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value Inspect(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value InspectRange(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value Locate(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value RepairBlocks(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value ReadPlacementFacts(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value Release(Environment& environment, const Napi::CallbackInfo& info);

Napi::Value MakeView(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value EndView(Environment& environment, const Napi::CallbackInfo& info);
Napi::Value InUse(Environment& environment, const Napi::CallbackInfo& info);

}  // namespace vram::binding
