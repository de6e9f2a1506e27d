// The opaque objects JavaScript holds: an empty object whose native half is a slot and a generation, never an address
// that could be printed.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>

#include "binding/handle_table.h"

namespace vram::binding {

class Environment;

enum class HandleKind { kDriver, kDevice, kAllocation, kCancel };

/// An object for `key`; `collected` runs on the environment's thread when JavaScript has let go of it.
Napi::Object MakeHandle(Napi::Env env, const std::shared_ptr<Environment>& owner, HandleKind kind, HandleKey key,
                        void (*collected)(Environment&, HandleKey));

/// The key of a handle of this environment and kind; nothing for any other value.
std::optional<HandleKey> ReadHandle(const Environment& environment, HandleKind kind, Napi::Value value);

}  // namespace vram::binding
