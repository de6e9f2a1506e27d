#include "ops/bytes.h"

#include <errno.h>
#include <sys/random.h>

namespace vram::ops {

Status FillRandom(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t filled = getrandom(bytes.data(), bytes.size(), 0);
    if (filled < 0 && errno == EINTR) continue;
    if (filled <= 0) return Error{Code::kCudaFailed, "The kernel's random generator is not available"};
    bytes = bytes.subspan(static_cast<std::size_t>(filled));
  }
  return Done{};
}

bool ConstantTimeEqual(std::span<const std::byte> a, std::span<const std::byte> b) noexcept {
  if (a.size() != b.size()) return false;
  std::byte difference{0};
  for (std::size_t i = 0; i < a.size(); ++i) difference |= a[i] ^ b[i];
  // Keeps the compiler from leaving the loop once a difference is known.
  asm volatile("" : "+r"(difference));
  return difference == std::byte{0};
}

}  // namespace vram::ops
