// The function that writes damaged blocks of an allocation anew.
#include "binding/allocation_operation.h"
#include "binding/functions.h"
#include "ops/repair_run.h"

namespace vram::binding {
namespace {

/// Copies whole blocks and their indices; nothing unless there are as many of both.
std::unique_ptr<ops::Replacement> ReadReplacement(Napi::Value indices_value, Napi::Value bytes_value) {
  if (!indices_value.IsArray() || !bytes_value.IsTypedArray()) return nullptr;
  if (bytes_value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) return nullptr;
  const auto list = indices_value.As<Napi::Array>();
  const auto bytes = bytes_value.As<Napi::Uint8Array>();
  if (list.Length() == 0 || bytes.ByteLength() != list.Length() * device::kBlockBytes) return nullptr;
  std::vector<std::uint64_t> indices;
  for (std::uint32_t k = 0; k < list.Length(); ++k) {
    const auto index = ReadInteger(list.Get(k));
    if (!index) return nullptr;
    indices.push_back(*index);
  }
  return std::make_unique<ops::Replacement>(std::move(indices), std::as_bytes(std::span(bytes.Data(), bytes.ByteLength())));
}

Napi::Value ReportValue(Napi::Env env, const ops::RepairReport& report) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("frozen", Napi::Boolean::New(env, report.frozen));
  if (report.cause) value.Set("cause", ErrorResult(env, *report.cause).As<Napi::Object>().Get("error"));
  return ValueResult(env, value);
}

/// Device thread.
ops::RepairReport RepairNow(AllocationRecord& allocation, const ops::Digest& digest, const ops::Replacement& replacement) {
  if (allocation.stopping) return {true, ops::Aborted()};
  if (allocation.tree == nullptr) return {true, NoKeptTree()};
  return ops::Repair(allocation.device->context, *allocation.mapping, *allocation.tree, digest, replacement);
}

}  // namespace

Napi::Value RepairBlocks(Environment& environment, const Napi::CallbackInfo& info) {
  const auto digest = ReadDigest(info[1]);
  if (!digest) return ErrorResult(info.Env(), InvalidInput("digest must be 64 lower-case hexadecimal digits"));
  auto replacement = ReadReplacement(info[2], info[3]);
  if (replacement == nullptr) return ErrorResult(info.Env(), InvalidInput("blocks must be 4096 bytes for each index, at least one"));
  auto operation = AllocationOperation::Begin(environment, info, {AllocationState::kFrozen});
  if (!operation.ok()) return ErrorResult(info.Env(), operation.error());
  const auto& [allocation, id, promise] = operation.value();
  PostSteps(environment, allocation->device, id,
            [owner = allocation, digest = *digest, replacement = std::move(replacement)]() -> std::optional<Answer> {
              return [owner, report = RepairNow(*owner, digest, *replacement)](Napi::Env env) {
                owner->busy = false;
                if (!report.frozen) owner->state = AllocationState::kLoaded;
                return ReportValue(env, report);
              };
            });
  return promise;
}

}  // namespace vram::binding
