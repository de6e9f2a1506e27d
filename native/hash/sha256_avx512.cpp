#ifdef __x86_64__
#include "hash/sha256_avx512.h"

// gcc 12 takes the undefined values inside these intrinsics for mistakes.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

#include <algorithm>

#include "hash/block_digest.h"
#include "kernel/sha256.h"

// Attributes of each function, not flags of the file: what is inlined from headers stays fit for any processor.
#define VRAM_AVX512 __attribute__((target("avx512f,avx512bw")))
#define VRAM_AVX512_INLINE VRAM_AVX512 __attribute__((always_inline)) static inline

namespace vram::hash {
namespace {

constexpr std::size_t kLanes = 16;

constexpr int kXor3 = 0x96;
constexpr int kChoose = 0xca;
constexpr int kMajority = 0xe8;

/// `kVectors` vectors of the same kind: two at a time hide each other's latency.
template <int kVectors>
struct Lanes {
  __m512i v[kVectors];
};

VRAM_AVX512_INLINE __m512i Add(__m512i a, __m512i b) { return _mm512_add_epi32(a, b); }
VRAM_AVX512_INLINE __m512i Xor3(__m512i a, __m512i b, __m512i c) { return _mm512_ternarylogic_epi32(a, b, c, kXor3); }

/// One step of FIPS 180-4 section 6.2.2; `kStep` renames the working variables.
template <int kStep, int kVectors>
VRAM_AVX512_INLINE void Round(Lanes<kVectors> (&s)[8], const Lanes<kVectors>& word, unsigned constant) {
  const __m512i k = _mm512_set1_epi32(static_cast<int>(constant));
#pragma GCC unroll 2
  for (int i = 0; i < kVectors; ++i) {
    __m512i& a = s[(8 - kStep) & 7].v[i];
    __m512i& b = s[(9 - kStep) & 7].v[i];
    __m512i& c = s[(10 - kStep) & 7].v[i];
    __m512i& d = s[(11 - kStep) & 7].v[i];
    __m512i& e = s[(12 - kStep) & 7].v[i];
    __m512i& f = s[(13 - kStep) & 7].v[i];
    __m512i& g = s[(14 - kStep) & 7].v[i];
    __m512i& h = s[(15 - kStep) & 7].v[i];
    __m512i ready = Add(Add(h, k), word.v[i]);
    // Without this gcc 12 adds in another order, which makes the chain through e longer.
    asm("" : "+v"(ready));
    const __m512i sum_e = Xor3(_mm512_ror_epi32(e, 6), _mm512_ror_epi32(e, 11), _mm512_ror_epi32(e, 25));
    const __m512i sum_a = Xor3(_mm512_ror_epi32(a, 2), _mm512_ror_epi32(a, 13), _mm512_ror_epi32(a, 22));
    __m512i t1 = Add(Add(ready, _mm512_ternarylogic_epi32(e, f, g, kChoose)), sum_e);
    asm("" : "+v"(t1));
    d = Add(d, t1);
    h = Add(t1, Add(sum_a, _mm512_ternarylogic_epi32(a, b, c, kMajority)));
  }
}

template <int kVectors>
VRAM_AVX512_INLINE void Schedule(Lanes<kVectors> (&w)[16], int t) {
#pragma GCC unroll 2
  for (int i = 0; i < kVectors; ++i) {
    const __m512i w15 = w[(t + 1) & 15].v[i];
    const __m512i w2 = w[(t + 14) & 15].v[i];
    const __m512i s0 = Xor3(_mm512_ror_epi32(w15, 7), _mm512_ror_epi32(w15, 18), _mm512_srli_epi32(w15, 3));
    const __m512i s1 = Xor3(_mm512_ror_epi32(w2, 17), _mm512_ror_epi32(w2, 19), _mm512_srli_epi32(w2, 10));
    w[t & 15].v[i] = Add(Add(w[t & 15].v[i], s0), Add(w[(t + 9) & 15].v[i], s1));
  }
}

template <int kFirst, int kVectors>
VRAM_AVX512_INLINE void EightRounds(Lanes<kVectors> (&s)[8], Lanes<kVectors> (&w)[16]) {
  const auto step = [](int i) { return (kFirst + i) & 15; };
  if constexpr (kFirst >= 16) Schedule(w, kFirst);
  Round<0>(s, w[step(0)], kernel::kRoundConstants[kFirst]);
  if constexpr (kFirst >= 16) Schedule(w, kFirst + 1);
  Round<1>(s, w[step(1)], kernel::kRoundConstants[kFirst + 1]);
  if constexpr (kFirst >= 16) Schedule(w, kFirst + 2);
  Round<2>(s, w[step(2)], kernel::kRoundConstants[kFirst + 2]);
  if constexpr (kFirst >= 16) Schedule(w, kFirst + 3);
  Round<3>(s, w[step(3)], kernel::kRoundConstants[kFirst + 3]);
  if constexpr (kFirst >= 16) Schedule(w, kFirst + 4);
  Round<4>(s, w[step(4)], kernel::kRoundConstants[kFirst + 4]);
  if constexpr (kFirst >= 16) Schedule(w, kFirst + 5);
  Round<5>(s, w[step(5)], kernel::kRoundConstants[kFirst + 5]);
  if constexpr (kFirst >= 16) Schedule(w, kFirst + 6);
  Round<6>(s, w[step(6)], kernel::kRoundConstants[kFirst + 6]);
  if constexpr (kFirst >= 16) Schedule(w, kFirst + 7);
  Round<7>(s, w[step(7)], kernel::kRoundConstants[kFirst + 7]);
}

template <int kVectors>
VRAM_AVX512_INLINE void CompressEach(Lanes<kVectors> (&state)[8], Lanes<kVectors> (&w)[16]) {
  Lanes<kVectors> s[8];
  for (int i = 0; i < 8; ++i) s[i] = state[i];
  EightRounds<0>(s, w);
  EightRounds<8>(s, w);
  EightRounds<16>(s, w);
  EightRounds<24>(s, w);
  EightRounds<32>(s, w);
  EightRounds<40>(s, w);
  EightRounds<48>(s, w);
  EightRounds<56>(s, w);
  for (int i = 0; i < 8; ++i) {
    for (int v = 0; v < kVectors; ++v) state[i].v[v] = Add(state[i].v[v], s[i].v[v]);
  }
}

/// Sixteen rows of sixteen words become sixteen columns.
VRAM_AVX512_INLINE void Transpose(__m512i (&rows)[16]) {
  __m512i pairs[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  __m512i fours[16];
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const __m512i low_even = _mm512_shuffle_i32x4(fours[i], fours[i + 4], 0x88);
    const __m512i low_odd = _mm512_shuffle_i32x4(fours[i], fours[i + 4], 0xdd);
    const __m512i high_even = _mm512_shuffle_i32x4(fours[i + 8], fours[i + 12], 0x88);
    const __m512i high_odd = _mm512_shuffle_i32x4(fours[i + 8], fours[i + 12], 0xdd);
    rows[i] = _mm512_shuffle_i32x4(low_even, high_even, 0x88);
    rows[i + 4] = _mm512_shuffle_i32x4(low_odd, high_odd, 0x88);
    rows[i + 8] = _mm512_shuffle_i32x4(low_even, high_even, 0xdd);
    rows[i + 12] = _mm512_shuffle_i32x4(low_odd, high_odd, 0xdd);
  }
}

VRAM_AVX512_INLINE __m512i SwapBytes(__m512i words) {
  return _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL)));
}

/// Hashes `count` blocks, at least one and at most a block for each lane.
template <int kVectors>
VRAM_AVX512 void HashLanes(const std::byte* blocks, std::size_t count, std::byte* digests) {
  const std::byte* lanes[kLanes * kVectors];
  for (std::size_t i = 0; i < kLanes * kVectors; ++i) lanes[i] = blocks + std::min(i, count - 1) * kBlockBytes;
  Lanes<kVectors> state[8];
  for (int i = 0; i < 8; ++i) {
    for (int v = 0; v < kVectors; ++v) state[i].v[v] = _mm512_set1_epi32(static_cast<int>(kernel::kInitialState[i]));
  }
  Lanes<kVectors> w[16];
  for (std::size_t offset = 0; offset < kBlockBytes; offset += kMessageBytes) {
    for (int v = 0; v < kVectors; ++v) {
      __m512i rows[16];
#pragma GCC unroll 16
      for (std::size_t i = 0; i < kLanes; ++i) {
        rows[i] = SwapBytes(_mm512_loadu_si512(lanes[static_cast<std::size_t>(v) * kLanes + i] + offset));
      }
      Transpose(rows);
      for (int t = 0; t < 16; ++t) w[t].v[v] = rows[t];
    }
    CompressEach(state, w);
  }
  for (int t = 0; t < 16; ++t) {
    std::uint32_t word = 0;
    std::memcpy(&word, kBlockPadding + 4 * t, sizeof word);
    for (int v = 0; v < kVectors; ++v) w[t].v[v] = _mm512_set1_epi32(static_cast<int>(__builtin_bswap32(word)));
  }
  CompressEach(state, w);
  alignas(64) std::uint32_t columns[8][kLanes * kVectors];
  for (int i = 0; i < 8; ++i) {
    for (int v = 0; v < kVectors; ++v) _mm512_store_si512(&columns[i][static_cast<std::size_t>(v) * kLanes], state[i].v[v]);
  }
  for (std::size_t lane = 0; lane < count; ++lane) {
    State digest;
    for (int i = 0; i < 8; ++i) digest[i] = columns[i][lane];
    StoreDigest(digest, digests + lane * kDigestBytes);
  }
}

}  // namespace

void HashBlocksAvx512(const std::byte* blocks, std::size_t count, std::byte* digests) {
  while (count > 0) {
    const std::size_t taken = std::min(count, kMostLanes);
    if (taken > kLanes) {
      HashLanes<2>(blocks, taken, digests);
    } else {
      HashLanes<1>(blocks, taken, digests);
    }
    count -= taken;
    blocks += taken * kBlockBytes;
    digests += taken * kDigestBytes;
  }
}

}  // namespace vram::hash
#endif
