#include "ops/single_bit.h"

#include <string.h>

#include <algorithm>
#include <array>
#include <vector>

#include "ops/bytes.h"

namespace vram::ops {
namespace {

constexpr std::size_t kBlockBits = hash::kBlockBytes * 8;
/// As many blocks as stay in the processor's second cache.
constexpr std::size_t kCandidates = 64;

}  // namespace

bool OneFlipGives(std::span<const std::byte, hash::kBlockBytes> block, std::span<const std::byte> digest) {
  std::vector<std::byte> candidates(kCandidates * hash::kBlockBytes);
  for (std::size_t k = 0; k < kCandidates; ++k) std::ranges::copy(block, candidates.data() + k * hash::kBlockBytes);
  const auto flip = [&candidates](std::size_t first_bit) {
    for (std::size_t k = 0; k < kCandidates; ++k) {
      const std::size_t bit = first_bit + k;
      candidates[k * hash::kBlockBytes + bit / 8] ^= std::byte{1} << (bit % 8);
    }
  };
  std::array<std::byte, kCandidates * hash::kDigestBytes> digests;
  bool found = false;
  for (std::size_t first_bit = 0; first_bit < kBlockBits && !found; first_bit += kCandidates) {
    flip(first_bit);
    hash::BestPath().hash_blocks(candidates.data(), kCandidates, digests.data());
    flip(first_bit);
    for (std::size_t k = 0; k < kCandidates; ++k) {
      found |= ConstantTimeEqual(std::span(digests).subspan(k * hash::kDigestBytes, hash::kDigestBytes), digest);
    }
  }
  explicit_bzero(candidates.data(), candidates.size());
  return found;
}

}  // namespace vram::ops
