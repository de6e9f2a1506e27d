#include "secret/root_key.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "kernel/sha256.h"
#include "secret/traces.h"

namespace vram::secret {
namespace {

constexpr std::string_view kSalt = "vram-seal/v1";
constexpr std::string_view kRootInfo = "root\x01";
constexpr std::string_view kKeyIdMessage = "key-id";
constexpr std::byte kInnerPad{0x36};
constexpr std::byte kOuterPad{0x5c};

std::span<const std::byte> AsBytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Through volatile: the C library copies by registers that stay filled.
void Copy(std::span<const std::byte> from, std::byte* to) {
  for (std::size_t i = 0; i < from.size(); ++i) *static_cast<volatile std::byte*>(to + i) = from[i];
}

void CopyState(const hash::State& from, hash::State& to) {
  for (std::size_t i = 0; i < 8; ++i) *static_cast<volatile std::uint32_t*>(&to[i]) = from[i];
}

template <typename Integer>
void StoreBigEndian(Integer value, std::byte* to) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    *static_cast<volatile std::byte*>(to + i) = static_cast<std::byte>(value >> (8 * (sizeof value - 1 - i)));
  }
}

void StoreState(const hash::State& state, std::byte* to) {
  for (std::size_t i = 0; i < 8; ++i) StoreBigEndian(state[i], to + 4 * i);
}

void Wipe(std::span<std::byte> bytes) { explicit_bzero(bytes.data(), bytes.size()); }

bool FillRandom(std::span<std::byte> bytes) {
  return getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

std::unique_ptr<RootKey> RootKey::Create(Protection best) {
  auto page = SecretPage::Map(best);
  if (!page) return nullptr;
  return std::unique_ptr<RootKey>(new RootKey(std::move(*page)));
}

RootKey::RootKey(SecretPage page) : page_(std::move(page)), secrets_(*new (page_.bytes().data()) Secrets) {}

std::unique_ptr<RootKey> RootKey::FromKey(std::span<std::byte, kKeyBytes> key, Protection best) {
  const TraceWipe wipe;
  auto root = Create(best);
  if (root != nullptr) {
    Copy(key, root->secrets_.key);
    root->Adopt();
  }
  Wipe(key);
  return root;
}

std::unique_ptr<RootKey> RootKey::FromSecret(std::span<std::byte> secret, Protection best) {
  const TraceWipe wipe;
  auto root = Create(best);
  if (root != nullptr) {
    Secrets& secrets = root->secrets_;
    root->SetKey(secrets.mac, AsBytes(kSalt));
    root->Hmac(secrets.mac, secret, secrets.key);
    root->SetKey(secrets.extracted, secrets.key);
    root->Hmac(secrets.extracted, AsBytes(kRootInfo), secrets.key);
    root->Adopt();
  }
  Wipe(secret);
  return root;
}

std::unique_ptr<RootKey> RootKey::FromRandom(Protection best) {
  const TraceWipe wipe;
  auto root = Create(best);
  if (root == nullptr || !FillRandom(root->secrets_.key)) return nullptr;
  root->Adopt();
  return root;
}

/// Makes of the root key in `key` all that is needed of it, and wipes it.
void RootKey::Adopt() {
  SetKey(secrets_.mac, secrets_.key);
  Hmac(secrets_.mac, AsBytes(kKeyIdMessage), key_id_mac_.data());
  SetKey(secrets_.mac, AsBytes(kSalt));
  Hmac(secrets_.mac, secrets_.key, secrets_.key);
  SetKey(secrets_.extracted, secrets_.key);
  Wipe(secrets_.key);
}

Mac RootKey::MacOf(InstanceId instance, std::span<const std::byte> message) {
  const TraceWipe wipe;
  UseInstance(instance);
  Mac mac;
  Hmac(secrets_.mac, message, mac.data());
  return mac;
}

bool RootKey::Verify(InstanceId instance, std::span<const std::byte> message, std::span<const std::byte, hash::kDigestBytes> mac) {
  const TraceWipe wipe;
  UseInstance(instance);
  Hmac(secrets_.mac, message, secrets_.key);
  // Volatile, so that no compiler ends the loop early.
  volatile unsigned difference = 0;
  for (std::size_t i = 0; i < mac.size(); ++i) difference = difference | std::to_integer<unsigned>(secrets_.key[i] ^ mac[i]);
  Wipe(secrets_.key);
  return difference == 0;
}

void RootKey::UseInstance(InstanceId instance) {
  if (instance_ && std::ranges::equal(instance, *instance_)) return;
  const std::string info = std::string("seal\0", 5).append(instance.data(), instance.size()) + '\x01';
  Hmac(secrets_.extracted, AsBytes(info), secrets_.key);
  SetKey(secrets_.mac, secrets_.key);
  Wipe(secrets_.key);
  std::ranges::copy(instance, instance_.emplace().begin());
}

/// RFC 2104, for a key of at most one block.
void RootKey::SetKey(HmacKey& key, std::span<const std::byte> bytes) {
  const auto absorb = [&](std::byte pad, hash::State& state) {
    std::memset(secrets_.block, static_cast<int>(pad), sizeof secrets_.block);
    for (std::size_t i = 0; i < bytes.size(); ++i) secrets_.block[i] ^= bytes[i];
    CopyState(kernel::kInitialState, state);
    hash::BestPath().compress(state, secrets_.block, 1);
  };
  absorb(kInnerPad, key.inner);
  absorb(kOuterPad, key.outer);
}

void RootKey::Hmac(const HmacKey& key, std::span<const std::byte> message, std::byte* mac) {
  const std::size_t whole = message.size() / hash::kMessageBytes;
  CopyState(key.inner, secrets_.state);
  hash::BestPath().compress(secrets_.state, message.data(), whole);
  CompressLast(message.subspan(whole * hash::kMessageBytes), message.size());
  StoreState(secrets_.state, secrets_.block);
  CopyState(key.outer, secrets_.state);
  CompressLast(std::span(secrets_.block).first(hash::kDigestBytes), hash::kDigestBytes);
  StoreState(secrets_.state, mac);
}

/// The end of a message of `length` bytes behind a padded key: FIPS 180-4, section 5.1.1.
void RootKey::CompressLast(std::span<const std::byte> rest, std::uint64_t length) {
  constexpr std::size_t kLengthOffset = hash::kMessageBytes - sizeof(std::uint64_t);
  std::span block(secrets_.block);
  Copy(rest, block.data());
  block[rest.size()] = std::byte{0x80};
  Wipe(block.subspan(rest.size() + 1));
  if (rest.size() >= kLengthOffset) {
    hash::BestPath().compress(secrets_.state, block.data(), 1);
    Wipe(block);
  }
  StoreBigEndian((hash::kMessageBytes + length) * 8, block.data() + kLengthOffset);
  hash::BestPath().compress(secrets_.state, block.data(), 1);
}

}  // namespace vram::secret
