// The digest kernel: SHA-256 of each 4096-byte block, for the leaves of an fs-verity tree and for its inner blocks alike.
#include "sha256.h"

#define __global__ __attribute__((global))

namespace {

using vram::kernel::u32;
using u64 = unsigned long long;

constexpr u32 kBlockBytes = 4096;
constexpr u32 kDigestBytes = 32;
constexpr u32 kMessageBytes = 64;

struct alignas(16) Words {
  u32 x, y, z, w;
};

#ifdef VRAM_PLAIN
using KernelSum = vram::kernel::PlainSum;
#else
// A multiplication by one moves an addition from the pipe that shifts and combines to the one that multiplies. The factor is
// the second extent of a one-dimensional block: the compiler does not know it.
struct KernelSum {
  u32 one = __nvvm_read_ptx_sreg_ntid_y();
  VRAM_INLINE_MEMBER u32 operator()(u32 a, u32 b) const {
    u32 r;
    asm("mad.lo.u32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(one), "r"(b));
    return r;
  }
};
#endif

VRAM_INLINE u32 SwapBytes(u32 x) {
  u32 r;
  asm("prmt.b32 %0, %1, 0, 0x0123;" : "=r"(r) : "r"(x));
  return r;
}

}  // namespace

// Hashes the 4096 bytes at blocks + 4096 i into the 32 bytes at digests + 32 i, for every thread i < block_count. Both
// addresses are multiples of 16. Plain loads: this reads memory as it is now, not through a read-only cache.
extern "C" __global__ void vram_fsverity_blocks(const unsigned char* blocks, unsigned char* digests, u32 block_count) {
  const u32 index = __nvvm_read_ptx_sreg_ctaid_x() * __nvvm_read_ptx_sreg_ntid_x() + __nvvm_read_ptx_sreg_tid_x();
  if (index >= block_count) return;

  const KernelSum sum;
  u32 state[8];
#pragma unroll
  for (int i = 0; i < 8; ++i) state[i] = vram::kernel::kInitialState[i];

  const Words* input = reinterpret_cast<const Words*>(blocks + static_cast<u64>(index) * kBlockBytes);
  const Words* end = input + kBlockBytes / sizeof(Words);
#pragma unroll 1
  for (; input != end; input += kMessageBytes / sizeof(Words)) {
    u32 w[16];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const Words words = input[i];
      w[4 * i] = SwapBytes(words.x);
      w[4 * i + 1] = SwapBytes(words.y);
      w[4 * i + 2] = SwapBytes(words.z);
      w[4 * i + 3] = SwapBytes(words.w);
    }
    vram::kernel::Compress(state, w, sum);
  }

  // The padding block of a 4096-byte message (FIPS 180-4 section 5.1.1).
  u32 padding[16] = {0x80000000u, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, kBlockBytes * 8};
  vram::kernel::Compress(state, padding, sum);

  Words* output = reinterpret_cast<Words*>(digests + static_cast<u64>(index) * kDigestBytes);
  output[0] = {SwapBytes(state[0]), SwapBytes(state[1]), SwapBytes(state[2]), SwapBytes(state[3])};
  output[1] = {SwapBytes(state[4]), SwapBytes(state[5]), SwapBytes(state[6]), SwapBytes(state[7])};
}
