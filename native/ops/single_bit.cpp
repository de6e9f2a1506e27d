#include "ops/single_bit.h"

#include <string.h>

#include <algorithm>
#include <array>

#include "hash/block_digest.h"
#include "kernel/sha256.h"
#include "ops/bytes.h"

namespace vram::ops {
namespace {

using hash::kMessageBytes;

constexpr std::size_t kMessages = hash::kBlockBytes / kMessageBytes;
constexpr std::size_t kMessageBits = kMessageBytes * 8;

struct Midstate {
  hash::State state;
};

/// The state before each 64-byte part of the block.
std::array<Midstate, kMessages> Midstates(const std::byte* block) {
  std::array<Midstate, kMessages> before;
  std::copy(std::begin(kernel::kInitialState), std::end(kernel::kInitialState), before[0].state);
  for (std::size_t part = 1; part < kMessages; ++part) {
    before[part] = before[part - 1];
    hash::BestPath().compress(before[part].state, block + (part - 1) * kMessageBytes, 1);
  }
  return before;
}

/// The digest of the block, from the state before one of its parts.
std::array<std::byte, hash::kDigestBytes> DigestFrom(Midstate before, const std::byte* block, std::size_t part) {
  const auto compress = hash::BestPath().compress;
  compress(before.state, block + part * kMessageBytes, kMessages - part);
  compress(before.state, hash::kBlockPadding, 1);
  std::array<std::byte, hash::kDigestBytes> digest;
  hash::StoreDigest(before.state, digest.data());
  return digest;
}

}  // namespace

bool OneFlipGives(std::span<const std::byte, hash::kBlockBytes> block, std::span<const std::byte> digest) {
  std::array<std::byte, hash::kBlockBytes> candidate;
  std::ranges::copy(block, candidate.begin());
  std::array<Midstate, kMessages> before = Midstates(block.data());
  bool found = false;
  // From the end: the later the flip, the less there is to hash.
  for (std::size_t bit = hash::kBlockBytes * 8; bit > 0 && !found; --bit) {
    std::byte& flipped = candidate[(bit - 1) / 8];
    const std::byte mask = std::byte{1} << ((bit - 1) % 8);
    const std::size_t part = (bit - 1) / kMessageBits;
    flipped ^= mask;
    found = ConstantTimeEqual(DigestFrom(before[part], candidate.data(), part), digest);
    flipped ^= mask;
  }
  explicit_bzero(candidate.data(), candidate.size());
  explicit_bzero(before.data(), sizeof before);
  return found;
}

}  // namespace vram::ops
