#include "ops/kernel_verity.h"

#include <errno.h>
#include <linux/fsverity.h>
#include <string.h>

#include <algorithm>

#include "test/load_rig.h"

using namespace vram;
using namespace vram::test;

namespace {

/// What the kernel answers about a protected file.
struct Kernel {
  int measure_error = 0;
  std::uint16_t algorithm = FS_VERITY_HASH_ALG_SHA256;
  std::uint16_t digest_bytes = 32;
  int metadata_error = 0;
  std::array<std::uint8_t, 4> descriptor = {1, 1, 12, 0};
};

Kernel kernel;

int Answer(int, unsigned long request, void* argument) {
  if (request == FS_IOC_MEASURE_VERITY) {
    auto* const digest = static_cast<fsverity_digest*>(argument);
    const int error = kernel.measure_error != 0 ? kernel.measure_error : digest->digest_size < kernel.digest_bytes ? EOVERFLOW : 0;
    errno = error;
    if (error != 0) return -1;
    digest->digest_algorithm = kernel.algorithm;
    digest->digest_size = kernel.digest_bytes;
    memset(digest->digest, 0xab, kernel.digest_bytes);
    return 0;
  }
  const auto* const wanted = static_cast<const fsverity_read_metadata_arg*>(argument);
  errno = kernel.metadata_error;
  if (kernel.metadata_error != 0 || wanted->metadata_type != FS_VERITY_METADATA_TYPE_DESCRIPTOR || wanted->offset != 0) return -1;
  const std::size_t length = std::min<std::size_t>(wanted->length, kernel.descriptor.size());
  memcpy(reinterpret_cast<void*>(wanted->buf_ptr), kernel.descriptor.data(), length);
  return static_cast<int>(length);
}

bool Measures(Kernel answers) {
  kernel = answers;
  const auto digest = ops::MeasureVerity(0, Answer);
  if (digest) EXPECT(std::ranges::all_of(*digest, [](std::byte byte) { return byte == std::byte{0xab}; }));
  return digest.has_value();
}

}  // namespace

TEST("The kernel's measurement counts where its parameters are ours, and nowhere else") {
  EXPECT(Measures({}));
  EXPECT(!Measures({.measure_error = ENODATA}));
  EXPECT(!Measures({.measure_error = ENOTTY}));
  EXPECT(!Measures({.algorithm = FS_VERITY_HASH_ALG_SHA512, .digest_bytes = 64}));
  EXPECT(!Measures({.algorithm = 7}));
  EXPECT(!Measures({.digest_bytes = 31}));
  EXPECT(!Measures({.metadata_error = ENOTTY}));
  EXPECT(!Measures({.descriptor = {2, 1, 12, 0}}));
  EXPECT(!Measures({.descriptor = {1, 2, 12, 0}}));
  EXPECT(!Measures({.descriptor = {1, 1, 10, 0}}));
  EXPECT(!Measures({.descriptor = {1, 1, 12, 16}}));
}

TEST("A file that the kernel does not protect has no measurement") {
  const TemporaryFile file(Pattern(5000));
  EXPECT(!ops::MeasureVerity(file.fd()).has_value());
  EXPECT(!ops::MeasureVerity(-1).has_value());
}
