#ifdef __x86_64__
#include "hash/sha256_ni.h"

#include <immintrin.h>

#include <cstring>

#include "hash/block_digest.h"
#include "kernel/sha256.h"

// Attributes of each function, not flags of the file: what is inlined from headers stays fit for any processor.
#define VRAM_NI __attribute__((target("sha,sse4.1,ssse3")))
#define VRAM_NI_INLINE VRAM_NI __attribute__((always_inline)) static inline

namespace vram::hash {
namespace {

/// Messages that are hashed at the same time: one alone waits for the latency of each instruction.
constexpr std::size_t kInterleaved = 4;

/// The order in which the instructions want the working variables.
struct Registers {
  __m128i abef;
  __m128i cdgh;
};

VRAM_NI_INLINE Registers Load(const State& state) {
  const __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&state[0]));
  const __m128i hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&state[4]));
  const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

VRAM_NI_INLINE void Store(const Registers& registers, State& state) {
  const __m128i feba = _mm_shuffle_epi32(registers.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(registers.cdgh, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&state[0]), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&state[4]), _mm_alignr_epi8(dchg, feba, 8));
}

VRAM_NI_INLINE __m128i LoadWords(const std::byte* message) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(message)), big_endian);
}

/// Rounds 4 * kGroup to 4 * kGroup + 3 of every message, and the four schedule words that follow from them.
template <int kGroup, std::size_t kCount>
VRAM_NI_INLINE void FourRounds(Registers (&registers)[kCount], __m128i (&words)[kCount][4], const std::byte* const (&messages)[kCount]) {
  const __m128i constants = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&kernel::kRoundConstants[4 * kGroup]));
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kCount; ++i) {
    __m128i& current = words[i][kGroup % 4];
    if constexpr (kGroup < 4) {
      current = LoadWords(messages[i] + 16 * kGroup);
    } else {
      const __m128i previous = words[i][(kGroup + 3) % 4];
      const __m128i before = words[i][(kGroup + 2) % 4];
      const __m128i partial = _mm_sha256msg1_epu32(current, words[i][(kGroup + 1) % 4]);
      current = _mm_sha256msg2_epu32(_mm_add_epi32(partial, _mm_alignr_epi8(previous, before, 4)), previous);
    }
    const __m128i sum = _mm_add_epi32(current, constants);
    Registers& state = registers[i];
    state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, sum);
    state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(sum, 0x0e));
  }
}

template <std::size_t kCount>
VRAM_NI_INLINE void CompressEach(Registers (&registers)[kCount], const std::byte* const (&messages)[kCount]) {
  Registers before[kCount];
  __m128i words[kCount][4];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kCount; ++i) before[i] = registers[i];
  FourRounds<0>(registers, words, messages);
  FourRounds<1>(registers, words, messages);
  FourRounds<2>(registers, words, messages);
  FourRounds<3>(registers, words, messages);
  FourRounds<4>(registers, words, messages);
  FourRounds<5>(registers, words, messages);
  FourRounds<6>(registers, words, messages);
  FourRounds<7>(registers, words, messages);
  FourRounds<8>(registers, words, messages);
  FourRounds<9>(registers, words, messages);
  FourRounds<10>(registers, words, messages);
  FourRounds<11>(registers, words, messages);
  FourRounds<12>(registers, words, messages);
  FourRounds<13>(registers, words, messages);
  FourRounds<14>(registers, words, messages);
  FourRounds<15>(registers, words, messages);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kCount; ++i) {
    registers[i].abef = _mm_add_epi32(registers[i].abef, before[i].abef);
    registers[i].cdgh = _mm_add_epi32(registers[i].cdgh, before[i].cdgh);
  }
}

template <std::size_t kCount>
VRAM_NI void HashTogether(const std::byte* blocks, std::byte* digests) {
  State initial;
  std::memcpy(initial, kernel::kInitialState, sizeof initial);
  Registers registers[kCount];
  const std::byte* messages[kCount];
  for (std::size_t i = 0; i < kCount; ++i) registers[i] = Load(initial);
  for (std::size_t offset = 0; offset < kBlockBytes; offset += kMessageBytes) {
    for (std::size_t i = 0; i < kCount; ++i) messages[i] = blocks + i * kBlockBytes + offset;
    CompressEach(registers, messages);
  }
  for (std::size_t i = 0; i < kCount; ++i) messages[i] = kBlockPadding;
  CompressEach(registers, messages);
  for (std::size_t i = 0; i < kCount; ++i) {
    State state;
    Store(registers[i], state);
    StoreDigest(state, digests + i * kDigestBytes);
  }
}

}  // namespace

VRAM_NI void CompressNi(State& state, const std::byte* messages, std::size_t count) {
  Registers registers[1] = {Load(state)};
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* const message[1] = {messages + i * kMessageBytes};
    CompressEach(registers, message);
  }
  Store(registers[0], state);
}

void HashBlocksNi(const std::byte* blocks, std::size_t count, std::byte* digests) {
  for (; count >= kInterleaved; count -= kInterleaved) {
    HashTogether<kInterleaved>(blocks, digests);
    blocks += kInterleaved * kBlockBytes;
    digests += kInterleaved * kDigestBytes;
  }
  for (; count > 0; --count) {
    HashTogether<1>(blocks, digests);
    blocks += kBlockBytes;
    digests += kDigestBytes;
  }
}

}  // namespace vram::hash
#endif
