// A root key and the MACs made with it (docs/spec/seal-v1.md, section 3.4). The key, what is derived from it and every
// intermediate of HMAC lie in one page and nowhere else.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "hash/path.h"
#include "secret/secret_page.h"

namespace vram::secret {

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kInstanceIdLength = 32;
using Mac = std::array<std::byte, hash::kDigestBytes>;
using InstanceId = std::span<const char, kInstanceIdLength>;

class RootKey {
 public:
  /// Each gives nothing where the system has no page for it. A source is wiped in either case.
  static std::unique_ptr<RootKey> FromKey(std::span<std::byte, kKeyBytes> key, Protection best = Protection::kSecret);
  static std::unique_ptr<RootKey> FromSecret(std::span<std::byte> secret, Protection best = Protection::kSecret);
  static std::unique_ptr<RootKey> FromRandom(Protection best = Protection::kSecret);

  /// HMAC of `key-id`, which the key's public name is made of.
  const Mac& key_id_mac() const { return key_id_mac_; }
  Protection protection() const { return page_.protection(); }

  /// HMAC-SHA256 under the MAC key of an instance.
  Mac MacOf(InstanceId instance, std::span<const std::byte> message);
  /// Whether a MAC is the message's, in a time that does not tell where they differ.
  bool Verify(InstanceId instance, std::span<const std::byte> message, std::span<const std::byte, hash::kDigestBytes> mac);

 private:
  /// The compression function's states after the two padded keys.
  struct HmacKey {
    hash::State inner;
    hash::State outer;
  };
  struct Secrets {
    HmacKey extracted;  // HKDF's pseudorandom key, of which MAC keys are made
    HmacKey mac;        // of one instance: a process has one
    std::byte key[kKeyBytes];
    std::byte block[hash::kMessageBytes];
    hash::State state;
  };
  static_assert(sizeof(Secrets) <= 4096);

  static std::unique_ptr<RootKey> Create(Protection best);
  explicit RootKey(SecretPage page);

  void Adopt();
  void UseInstance(InstanceId instance);
  void SetKey(HmacKey& key, std::span<const std::byte> bytes);
  void Hmac(const HmacKey& key, std::span<const std::byte> message, std::byte* mac);
  void CompressLast(std::span<const std::byte> rest, std::uint64_t length);

  SecretPage page_;
  Secrets& secrets_;
  Mac key_id_mac_ = {};
  /// The one that `mac` is for.
  std::optional<std::array<char, kInstanceIdLength>> instance_;
};

}  // namespace vram::secret
