// The addon: one class, whose objects hold a root key each.
#include <napi.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "secret/root_key.h"

namespace vram::secret {
namespace {

/// What the collector is told that a key takes.
constexpr std::int64_t kPageBytes = 4096;

const char* NameOf(Protection protection) {
  switch (protection) {
    case Protection::kSecret: return "secret";
    case Protection::kLocked: return "locked";
    case Protection::kUnlocked: break;
  }
  return "unlocked";
}

/// The bytes of a Uint8Array; nothing for any other value.
std::optional<std::span<std::byte>> ReadBytes(const Napi::Value& value) {
  napi_typedarray_type type = napi_int8_array;
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok) return std::nullopt;
  if (type != napi_uint8_array) return std::nullopt;
  return std::span(static_cast<std::byte*>(data), length);
}

std::optional<std::array<char, kInstanceIdLength>> ReadInstanceId(const Napi::Value& value) {
  if (!value.IsString()) return std::nullopt;
  // UTF-8, since Latin-1 would cut other characters down to digits. One byte more than fits shows a longer text; the last is the terminator.
  char text[kInstanceIdLength + 2];
  std::size_t length = 0;
  if (napi_get_value_string_utf8(value.Env(), value, text, sizeof text, &length) != napi_ok) return std::nullopt;
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (length != kInstanceIdLength || !std::all_of(text, text + length, is_digit)) return std::nullopt;
  std::array<char, kInstanceIdLength> id;
  std::copy_n(text, id.size(), id.begin());
  return id;
}

/// new RootKey("key" | "secret", Uint8Array) or new RootKey("random")
std::unique_ptr<RootKey> Make(const Napi::CallbackInfo& info) {
  const std::string from = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
  if (from == "random") return RootKey::FromRandom();
  const auto source = ReadBytes(info[1]);
  if (!source) return nullptr;
  if (from == "key" && source->size() == kKeyBytes) return RootKey::FromKey(source->first<kKeyBytes>());
  return from == "secret" ? RootKey::FromSecret(*source) : nullptr;
}

class RootKeyObject : public Napi::ObjectWrap<RootKeyObject> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "RootKey", {InstanceMethod<&RootKeyObject::Memory>("memory"),
                                        InstanceMethod<&RootKeyObject::KeyIdMac>("keyIdMac"),
                                        InstanceMethod<&RootKeyObject::WriteMac>("mac"),
                                        InstanceMethod<&RootKeyObject::Verify>("verify"),
                                        InstanceMethod<&RootKeyObject::Close>("close")});
  }

  explicit RootKeyObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<RootKeyObject>(info) {
    // A thread that is being terminated gave no object: then nobody would ever close the key.
    if (IsEmpty()) return;
    try {
      key_ = Make(info);
    } catch (const std::exception&) {
    }
    if (key_ == nullptr) {
      Napi::Error::New(info.Env(), "no root key").ThrowAsJavaScriptException();
    } else {
      Napi::MemoryManagement::AdjustExternalMemory(info.Env(), kPageBytes);
    }
  }

  ~RootKeyObject() override { Drop(Env()); }

 private:
  struct Request {
    std::array<char, kInstanceIdLength> instance;
    std::span<std::byte> message;
    std::span<std::byte, hash::kDigestBytes> mac;
  };

  Napi::Value Memory(const Napi::CallbackInfo& info) {
    if (key_ == nullptr) return info.Env().Undefined();
    return Napi::String::New(info.Env(), NameOf(key_->protection()));
  }

  Napi::Value KeyIdMac(const Napi::CallbackInfo& info) {
    if (key_ == nullptr) return info.Env().Undefined();
    const Mac& mac = key_->key_id_mac();
    auto copy = Napi::Uint8Array::New(info.Env(), mac.size());
    if (copy.IsEmpty() || copy.Data() == nullptr) return info.Env().Undefined();
    std::memcpy(copy.Data(), mac.data(), mac.size());
    return copy;
  }

  /// mac(instanceId, message, mac): writes the MAC and answers true; undefined where the key is closed or an argument is wrong.
  Napi::Value WriteMac(const Napi::CallbackInfo& info) {
    return Answer(info, [this](const Request& request) {
      const Mac mac = key_->MacOf(request.instance, request.message);
      std::ranges::copy(mac, request.mac.begin());
      return true;
    });
  }

  /// verify(instanceId, message, mac): true or false; undefined where the key is closed or an argument is wrong.
  Napi::Value Verify(const Napi::CallbackInfo& info) {
    return Answer(info, [this](const Request& request) { return key_->Verify(request.instance, request.message, request.mac); });
  }

  template <typename Work>
  Napi::Value Answer(const Napi::CallbackInfo& info, const Work& work) {
    try {
      const auto request = Read(info);
      if (key_ != nullptr && request) return Napi::Boolean::New(info.Env(), work(*request));
    } catch (const std::exception&) {
    }
    return info.Env().Undefined();
  }

  static std::optional<Request> Read(const Napi::CallbackInfo& info) {
    const auto instance = ReadInstanceId(info[0]);
    const auto message = ReadBytes(info[1]);
    const auto mac = ReadBytes(info[2]);
    if (!instance || !message || !mac || mac->size() != hash::kDigestBytes) return std::nullopt;
    return Request{*instance, *message, mac->first<hash::kDigestBytes>()};
  }

  void Close(const Napi::CallbackInfo& info) { Drop(info.Env()); }

  void Drop(Napi::Env env) {
    if (key_ == nullptr) return;
    key_.reset();
    Napi::MemoryManagement::AdjustExternalMemory(env, -kPageBytes);
  }

  std::unique_ptr<RootKey> key_;
};

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("RootKey", RootKeyObject::Define(env));
  return exports;
}

NODE_API_MODULE(vram_secret, Init)

}  // namespace
}  // namespace vram::secret
