#include "binding/handle.h"

#include "binding/environment.h"

namespace vram::binding {
namespace {

struct Native {
  std::weak_ptr<Environment> owner;
  HandleKey key;
  void (*collected)(Environment&, HandleKey);
};

const napi_type_tag* TagOf(HandleKind kind) {
  static constexpr napi_type_tag kTags[] = {
      {0x5b1d7c0e92f34a61, 0x8e06d1b7a4c25f30},
      {0x5b1d7c0e92f34a61, 0x8e06d1b7a4c25f31},
      {0x5b1d7c0e92f34a61, 0x8e06d1b7a4c25f32},
      {0x5b1d7c0e92f34a61, 0x8e06d1b7a4c25f33},
  };
  return &kTags[static_cast<std::size_t>(kind)];
}

void Collected(napi_env, void* data, void*) {
  const std::unique_ptr<Native> native(static_cast<Native*>(data));
  const std::shared_ptr<Environment> owner = native->owner.lock();
  if (owner != nullptr) native->collected(*owner, native->key);
}

}  // namespace

Napi::Object MakeHandle(Napi::Env env, const std::shared_ptr<Environment>& owner, HandleKind kind, HandleKey key,
                        void (*collected)(Environment&, HandleKey)) {
  Napi::Object handle = Napi::Object::New(env);
  auto native = std::make_unique<Native>(Native{owner, key, collected});
  if (napi_wrap(env, handle, native.get(), Collected, nullptr, nullptr) == napi_ok) {
    native.release();
    napi_type_tag_object(env, handle, TagOf(kind));
  }
  handle.Freeze();
  return handle;
}

std::optional<HandleKey> ReadHandle(const Environment& environment, HandleKind kind, Napi::Value value) {
  if (!value.IsObject()) return std::nullopt;
  bool tagged = false;
  void* data = nullptr;
  if (napi_check_object_type_tag(value.Env(), value, TagOf(kind), &tagged) != napi_ok || !tagged) return std::nullopt;
  if (napi_unwrap(value.Env(), value, &data) != napi_ok) return std::nullopt;
  const Native& native = *static_cast<Native*>(data);
  if (native.owner.lock().get() != &environment) return std::nullopt;
  return native.key;
}

}  // namespace vram::binding
