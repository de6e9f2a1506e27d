// Facts as plain objects; a fact that could not be read is null.
#pragma once

#include <napi.h>

#include "device/device_facts.h"
#include "ops/placement.h"

namespace vram::binding {

Napi::Object DeviceFactsValue(Napi::Env env, const device::DeviceFacts& facts);
Napi::Object PlacementValue(Napi::Env env, const ops::Placement& placement);

}  // namespace vram::binding
