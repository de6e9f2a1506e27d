// Functions that bring bytes into an allocation.
#include <fcntl.h>

#include "binding/allocation_operation.h"
#include "binding/functions.h"
#include "ops/hex.h"

namespace vram::binding {
namespace {

/// Settles an operation of a load with nothing to tell.
ops::Load::Callback SettleWith(Environment& environment, const std::shared_ptr<AllocationRecord>& allocation, OperationId id) {
  return [&environment, allocation, id](Status status) {
    environment.Settle(id, [allocation, status = std::move(status)](Napi::Env env) {
      allocation->busy = false;
      return status.ok() ? ValueResult(env, env.Null()) : ErrorResult(env, status.error());
    });
  };
}

Napi::Value DigestsValue(Napi::Env env, const ops::LoadedDigests& digests) {
  Napi::Object value = Napi::Object::New(env);
  const auto hex = [env](const std::optional<ops::Digest>& digest) {
    return digest ? Napi::Value(Napi::String::New(env, ops::Hex(*digest))) : env.Null();
  };
  value.Set("fsverity", hex(digests.fsverity));
  value.Set("sha256", hex(digests.sha256));
  return ValueResult(env, value);
}

}  // namespace

Napi::Value Append(Environment& environment, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto allocation = ReadIdle(environment, info[0], {AllocationState::kLoading});
  if (!allocation.ok()) return ErrorResult(env, allocation.error());
  if (!info[1].IsTypedArray() || info[1].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    return ErrorResult(env, InvalidInput("chunk must be a Uint8Array"));
  }
  const auto chunk = info[1].As<Napi::Uint8Array>();
  ops::Load& load = *allocation.value()->load;
  Status appended = load.Append(std::as_bytes(std::span(chunk.Data(), chunk.ByteLength())));
  if (!appended.ok()) return ErrorResult(env, appended.error());
  return ValueResult(env, Napi::Boolean::New(env, load.HasRoom()));
}

Napi::Value WhenRoom(Environment& environment, const Napi::CallbackInfo& info) {
  auto operation = AllocationOperation::Begin(environment, info, {AllocationState::kLoading});
  if (!operation.ok()) return ErrorResult(info.Env(), operation.error());
  const auto& [allocation, id, promise] = operation.value();
  allocation->load->WhenRoom(SettleWith(environment, allocation, id));
  return promise;
}

Napi::Value AppendFile(Environment& environment, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto fd = ReadSmallInteger(info[1]);
  const auto offset = ReadInteger(info[2]);
  const auto byte_length = ReadInteger(info[3]);
  const auto cancel = ReadCancel(environment, info[4]);
  const auto function = ReadProgress(info[5]);
  if (!fd) return ErrorResult(env, InvalidInput("fd must be a file descriptor"));
  if (!offset || !byte_length) return ErrorResult(env, InvalidInput("offset and byteLength must be integers from 0 to 2^53 - 1"));
  if (!cancel || !function) return ErrorResult(env, InvalidInput("cancel and progress must be what this addon takes"));
  ops::UniqueFd file(fcntl(*fd, F_DUPFD_CLOEXEC, 0));
  if (!file.valid()) return ErrorResult(env, InvalidInput("fd must be an open file descriptor"));
  auto operation = AllocationOperation::Begin(environment, info, {AllocationState::kLoading}, *function);
  if (!operation.ok()) return ErrorResult(env, operation.error());
  const auto& [allocation, id, promise] = operation.value();
  const ops::Load::Callback settle = SettleWith(environment, allocation, id);
  const ops::FileRange range = {*offset, *byte_length};
  Status begun = allocation->load->AppendFile(std::move(file), range, *cancel, environment.ProgressOf(id), settle);
  if (!begun.ok()) settle(std::move(begun));
  return promise;
}

Napi::Value FinishLoad(Environment& environment, const Napi::CallbackInfo& info) {
  auto operation = AllocationOperation::Begin(environment, info, {AllocationState::kLoading});
  if (!operation.ok()) return ErrorResult(info.Env(), operation.error());
  const auto& [allocation, id, promise] = operation.value();
  allocation->load->Finish([&environment, allocation = allocation, id = id](Result<ops::LoadedDigests> digests) {
    environment.Settle(id, [allocation, digests = std::move(digests)](Napi::Env env) -> Napi::Value {
      allocation->busy = false;
      if (!digests.ok()) return ErrorResult(env, digests.error());
      allocation->state = AllocationState::kLoaded;
      return DigestsValue(env, digests.value());
    });
  });
  return promise;
}

}  // namespace vram::binding
