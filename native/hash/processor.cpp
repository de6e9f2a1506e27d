#ifdef __x86_64__
#include "hash/processor.h"

#include <cpuid.h>

namespace vram::hash {
namespace {

// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID; volume 1, section 13.3 (XCR0).
constexpr unsigned kSsse3 = 1U << 9;
constexpr unsigned kSse41 = 1U << 19;
constexpr unsigned kOsXsave = 1U << 27;
constexpr unsigned kAvx512F = 1U << 16;
constexpr unsigned kSha = 1U << 29;
constexpr unsigned kAvx512Bw = 1U << 30;
constexpr unsigned kZmmState = 0xe6;  // SSE, AVX, opmask and both halves of the ZMM registers

unsigned EnabledState() {
  unsigned low = 0;
  unsigned high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

}  // namespace

Processor ReadProcessor() {
  unsigned a = 0;
  unsigned extended = 0;
  unsigned basic = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &extended, &basic, &d) == 0) return {false, false};
  if (__get_cpuid_count(7, 0, &a, &extended, &d, &d) == 0) return {false, false};
  const bool zmm = (basic & kOsXsave) != 0 && (EnabledState() & kZmmState) == kZmmState;
  return {.avx512 = zmm && (extended & kAvx512F) != 0 && (extended & kAvx512Bw) != 0,
          .sha_ni = (extended & kSha) != 0 && (basic & kSsse3) != 0 && (basic & kSse41) != 0};
}

}  // namespace vram::hash
#endif
