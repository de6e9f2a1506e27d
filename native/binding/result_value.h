// What an operation answers to JavaScript: { value } or { error: { code, message, details } }. Nothing is thrown across.
#pragma once

#include <napi.h>

#include <functional>

#include "driver/error.h"

namespace vram::binding {

/// Makes the answer of a finished operation; called on the environment's thread.
using Answer = std::function<Napi::Value(Napi::Env)>;

Napi::Value ValueResult(Napi::Env env, Napi::Value value);
Napi::Value ErrorResult(Napi::Env env, const Error& error);
Answer FailedWith(Error error);

/// An exact number: every size and count here is below 2^53.
inline Napi::Number NumberOf(Napi::Env env, std::uint64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }

}  // namespace vram::binding
