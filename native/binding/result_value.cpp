#include "binding/result_value.h"

namespace vram::binding {
namespace {

Napi::Object Details(Napi::Env env, const Error& error) {
  Napi::Object details = Napi::Object::New(env);
  if (error.answer) {
    details.Set("entryPoint", error.answer->entry_point);
    details.Set("result", error.answer->result);
    details.Set("resultName", error.answer->result_name);
  }
  if (error.shortage) {
    details.Set("neededBytes", NumberOf(env, error.shortage->needed_bytes));
    const auto& available = error.shortage->available_bytes;
    details.Set("availableBytes", available ? Napi::Value(NumberOf(env, *available)) : env.Null());
  }
  if (error.reason != nullptr) details.Set("reason", error.reason);
  return details;
}

}  // namespace

Napi::Value ValueResult(Napi::Env env, Napi::Value value) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("value", value);
  return result;
}

Napi::Value ErrorResult(Napi::Env env, const Error& error) {
  Napi::Object facts = Napi::Object::New(env);
  facts.Set("code", CodeName(error.code));
  facts.Set("message", error.message);
  facts.Set("details", Details(env, error));
  Napi::Object result = Napi::Object::New(env);
  result.Set("error", facts);
  return result;
}

Answer FailedWith(Error error) {
  return [error = std::move(error)](Napi::Env env) { return ErrorResult(env, error); };
}

}  // namespace vram::binding
