// Reads arguments. TypeScript has checked them; here a wrong one would be memory corruption, so they are checked again.
#pragma once

#include <napi.h>

#include <optional>
#include <string>

#include "binding/environment.h"
#include "binding/handle.h"

namespace vram::binding {

/// An integer from 0 to 2^53 - 1.
std::optional<std::uint64_t> ReadInteger(Napi::Value value);
/// A digest as 64 lower-case hexadecimal digits.
std::optional<ops::Digest> ReadDigest(Napi::Value value);
/// A file descriptor or an ordinal: an integer from 0 to 2^31 - 1.
std::optional<int> ReadSmallInteger(Napi::Value value);

std::shared_ptr<const driver::Library> ReadDriver(const Environment& environment, Napi::Value value);
std::shared_ptr<DeviceRecord> ReadDevice(const Environment& environment, Napi::Value value);
std::shared_ptr<AllocationRecord> ReadAllocation(const Environment& environment, Napi::Value value);
/// A cancel flag, or an empty pointer for undefined; nothing for any other value.
std::optional<std::shared_ptr<CancelFlag>> ReadCancel(const Environment& environment, Napi::Value value);
/// A function, or an empty one for undefined; nothing for any other value.
std::optional<Napi::Function> ReadProgress(Napi::Value value);

}  // namespace vram::binding
