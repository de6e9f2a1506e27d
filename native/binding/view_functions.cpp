// Functions that give native code of this process a view of sealed memory, and end it.
#include "binding/allocation_operation.h"
#include "binding/arguments.h"
#include "binding/functions.h"
#include "device/view.h"

namespace vram::binding {
namespace {

constexpr napi_type_tag kViewTag = {VRAM_VIEW_TAG_LOWER, VRAM_VIEW_TAG_UPPER};

void Collected(napi_env, void* data, void*) { delete static_cast<device::View*>(static_cast<VramView*>(data)); }

/// An object that native code unwraps by the public header; JavaScript sees nothing of it.
Napi::Object ViewObject(Napi::Env env, std::unique_ptr<device::View> view) {
  Napi::Object object = Napi::Object::New(env);
  VramView* const table = view.get();
  if (napi_wrap(env, object, table, Collected, nullptr, nullptr) == napi_ok) {
    view.release();
    napi_type_tag_object(env, object, &kViewTag);
  }
  object.Freeze();
  return object;
}

std::optional<device::TensorType> ReadTensorType(Napi::Value code, Napi::Value bits, Napi::Value shape) {
  const auto type_code = ReadInteger(code);
  const auto type_bits = ReadInteger(bits);
  if (!type_code || !type_bits || *type_code > UINT8_MAX || *type_bits > UINT8_MAX || !shape.IsArray()) return std::nullopt;
  device::TensorType type = {{static_cast<std::uint8_t>(*type_code), static_cast<std::uint8_t>(*type_bits), 1}, {}};
  const auto extents = shape.As<Napi::Array>();
  for (std::uint32_t axis = 0; axis < extents.Length(); ++axis) {
    const auto extent = ReadInteger(extents.Get(axis));
    if (!extent) return std::nullopt;
    type.shape.push_back(static_cast<std::int64_t>(*extent));
  }
  return type;
}

}  // namespace

Napi::Value MakeView(Environment& environment, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto allocation = ReadAllocation(environment, info[0]);
  const auto offset = ReadInteger(info[1]);
  const auto byte_length = ReadInteger(info[2]);
  auto type = ReadTensorType(info[3], info[4], info[5]);
  if (allocation == nullptr || allocation->device->closing || allocation->state != AllocationState::kFrozen) {
    return ErrorResult(env, InvalidInput("allocation must be a frozen allocation of an open device of this thread"));
  }
  if (!offset || !byte_length) return ErrorResult(env, InvalidInput("offset and byteLength must be integers from 0 to 2^53 - 1"));
  if (!type) return ErrorResult(env, InvalidInput("dtype and shape must be what this addon takes"));
  auto view = allocation->device->context.ViewOf(*allocation->mapping, *offset, *byte_length, *std::move(type));
  if (!view.ok()) return ErrorResult(env, view.error());
  return ValueResult(env, ViewObject(env, std::move(view).value()));
}

Napi::Value EndView(Environment&, const Napi::CallbackInfo& info) {
  bool tagged = false;
  void* data = nullptr;
  if (info[0].IsObject() && napi_check_object_type_tag(info.Env(), info[0], &kViewTag, &tagged) == napi_ok && tagged &&
      napi_unwrap(info.Env(), info[0], &data) == napi_ok) {
    static_cast<device::View*>(static_cast<VramView*>(data))->End();
  }
  return info.Env().Undefined();
}

Napi::Value InUse(Environment& environment, const Napi::CallbackInfo& info) {
  const auto allocation = ReadAllocation(environment, info[0]);
  const bool in_use = allocation != nullptr && allocation->mapping != nullptr && allocation->mapping->in_use();
  return Napi::Boolean::New(info.Env(), in_use);
}

}  // namespace vram::binding
