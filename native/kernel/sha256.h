// SHA-256 (FIPS 180-4): the compression function, one source for the host and for the digest kernel.
#pragma once

#ifdef __CUDA__
#define VRAM_INLINE_MEMBER __attribute__((device, always_inline)) inline
#define VRAM_CONSTANT __attribute__((constant)) constexpr
#else
#define VRAM_INLINE_MEMBER __attribute__((always_inline)) inline
#define VRAM_CONSTANT constexpr
#endif
#define VRAM_INLINE static VRAM_INLINE_MEMBER

namespace vram::kernel {

using u32 = unsigned int;

// FIPS 180-4 section 4.2.2.
VRAM_CONSTANT u32 kRoundConstants[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u,
};

// FIPS 180-4 section 5.3.3.
constexpr u32 kInitialState[8] = {
    0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u,
};

#ifdef __CUDA__
VRAM_INLINE u32 RotateRight(u32 x, u32 n) {
  u32 r;
  asm("shf.r.wrap.b32 %0, %1, %1, %2;" : "=r"(r) : "r"(x), "n"(n));
  return r;
}
VRAM_INLINE u32 Xor3(u32 a, u32 b, u32 c) {
  u32 r;
  asm("lop3.b32 %0, %1, %2, %3, 0x96;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}
VRAM_INLINE u32 Choose(u32 e, u32 f, u32 g) {
  u32 r;
  asm("lop3.b32 %0, %1, %2, %3, 0xca;" : "=r"(r) : "r"(e), "r"(f), "r"(g));
  return r;
}
VRAM_INLINE u32 Majority(u32 a, u32 b, u32 c) {
  u32 r;
  asm("lop3.b32 %0, %1, %2, %3, 0xe8;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}
#else
VRAM_INLINE u32 RotateRight(u32 x, u32 n) { return (x >> n) | (x << (32 - n)); }
VRAM_INLINE u32 Xor3(u32 a, u32 b, u32 c) { return a ^ b ^ c; }
VRAM_INLINE u32 Choose(u32 e, u32 f, u32 g) { return g ^ (e & (f ^ g)); }
VRAM_INLINE u32 Majority(u32 a, u32 b, u32 c) { return (a & b) | (c & (a | b)); }
#endif

// How sums are formed: a kernel may want them on another pipe of the processor.
struct PlainSum {
  VRAM_INLINE_MEMBER u32 operator()(u32 a, u32 b) const { return a + b; }
};

// One step of section 6.2.2. kStep is the step's place in its group of eight, which renames the working variables.
template <int kStep, class Sum>
VRAM_INLINE void Round(u32 (&s)[8], u32 constant_and_word, Sum sum) {
  u32& a = s[(8 - kStep) & 7];
  u32& b = s[(9 - kStep) & 7];
  u32& c = s[(10 - kStep) & 7];
  u32& d = s[(11 - kStep) & 7];
  u32& e = s[(12 - kStep) & 7];
  u32& f = s[(13 - kStep) & 7];
  u32& g = s[(14 - kStep) & 7];
  u32& h = s[(15 - kStep) & 7];
  const u32 t1 = sum(sum(sum(h, Xor3(RotateRight(e, 6), RotateRight(e, 11), RotateRight(e, 25))), Choose(e, f, g)), constant_and_word);
  d = sum(d, t1);
  h = sum(sum(t1, Xor3(RotateRight(a, 2), RotateRight(a, 13), RotateRight(a, 22))), Majority(a, b, c));
}

template <class Sum>
VRAM_INLINE u32 Schedule(const u32 (&w)[16], int i, Sum sum) {
  const u32 w15 = w[(i + 1) & 15];
  const u32 w2 = w[(i + 14) & 15];
  const u32 early = sum(w[i & 15], Xor3(RotateRight(w15, 7), RotateRight(w15, 18), w15 >> 3));
  return sum(sum(early, w[(i + 9) & 15]), Xor3(RotateRight(w2, 17), RotateRight(w2, 19), w2 >> 10));
}

template <class Sum>
VRAM_INLINE void SixteenRounds(u32 (&s)[8], const u32 (&w)[16], const u32* constants, Sum sum) {
#pragma unroll
  for (int i = 0; i < 16; i += 8) {
    Round<0>(s, sum(w[i + 0], constants[i + 0]), sum);
    Round<1>(s, sum(w[i + 1], constants[i + 1]), sum);
    Round<2>(s, sum(w[i + 2], constants[i + 2]), sum);
    Round<3>(s, sum(w[i + 3], constants[i + 3]), sum);
    Round<4>(s, sum(w[i + 4], constants[i + 4]), sum);
    Round<5>(s, sum(w[i + 5], constants[i + 5]), sum);
    Round<6>(s, sum(w[i + 6], constants[i + 6]), sum);
    Round<7>(s, sum(w[i + 7], constants[i + 7]), sum);
  }
}

// The next sixteen words of the message schedule.
template <class Sum>
VRAM_INLINE void ExpandSchedule(u32 (&w)[16], Sum sum) {
#pragma unroll
  for (int i = 0; i < 16; ++i) w[i] = Schedule(w, i, sum);
}

// Compresses one block of sixteen big-endian words, already in host order, into state. Uses up the words.
template <class Sum = PlainSum>
VRAM_INLINE void Compress(u32 (&state)[8], u32 (&w)[16], Sum sum = {}) {
  u32 s[8] = {state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]};
  // All 64 rounds unrolled are more code than a GPU's instruction caches hold, and get registers whose reads collide.
#pragma unroll 1
  for (int first = 0; first < 64; first += 16) {
    SixteenRounds(s, w, kRoundConstants + first, sum);
    if (first < 48) ExpandSchedule(w, sum);
  }
#pragma unroll
  for (int i = 0; i < 8; ++i) state[i] += s[i];
}

}  // namespace vram::kernel
