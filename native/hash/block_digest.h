// The beginning and the end of a 4096-byte message.
#pragma once

#include <cstring>

#include "hash/path.h"

namespace vram::hash {

/// The message block that follows 4096 bytes (FIPS 180-4 section 5.1.1): a one bit, zeros, and the length of 32768 bits.
alignas(64) inline constexpr std::byte kBlockPadding[kMessageBytes] = {
    std::byte{0x80}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {},              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {},              {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::byte{0x80}, {}};

inline void StoreDigest(const State& state, std::byte* digest) {
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint32_t word = __builtin_bswap32(state[i]);
    std::memcpy(digest + 4 * i, &word, sizeof word);
  }
}

}  // namespace vram::hash
