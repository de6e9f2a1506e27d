#include "hash/sha256_portable.h"

#include <cstring>

#include "hash/block_digest.h"
#include "kernel/sha256.h"

namespace vram::hash {

void CompressPortable(State& state, const std::byte* messages, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t words[16];
    std::memcpy(words, messages + i * kMessageBytes, kMessageBytes);
    for (std::uint32_t& word : words) word = __builtin_bswap32(word);
    kernel::Compress(state, words);
  }
}

void HashBlocksPortable(const std::byte* blocks, std::size_t count, std::byte* digests) {
  for (std::size_t i = 0; i < count; ++i) {
    State state;
    std::memcpy(state, kernel::kInitialState, sizeof state);
    CompressPortable(state, blocks + i * kBlockBytes, kBlockBytes / kMessageBytes);
    CompressPortable(state, kBlockPadding, 1);
    StoreDigest(state, digests + i * kDigestBytes);
  }
}

}  // namespace vram::hash
