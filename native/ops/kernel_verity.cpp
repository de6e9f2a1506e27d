#include "ops/kernel_verity.h"

#include <linux/fsverity.h>
#include <sys/ioctl.h>

namespace vram::ops {
namespace {

/// struct fsverity_descriptor, as far as it tells the parameters.
struct Parameters {
  std::uint8_t version;
  std::uint8_t hash_algorithm;
  std::uint8_t log_block_size;
  std::uint8_t salt_size;
};

/// struct fsverity_digest with room for a digest.
struct Measured {
  std::uint16_t algorithm;
  std::uint16_t digest_bytes;
  Digest digest;
};
static_assert(sizeof(fsverity_digest) == sizeof(Measured) - sizeof(Digest));

constexpr Parameters kOurs = {1, FS_VERITY_HASH_ALG_SHA256, 12, 0};

bool HasOurParameters(int fd, Ioctl ioctl) {
  Parameters parameters = {};
  fsverity_read_metadata_arg request = {};
  request.metadata_type = FS_VERITY_METADATA_TYPE_DESCRIPTOR;
  request.length = sizeof parameters;
  request.buf_ptr = reinterpret_cast<std::uintptr_t>(&parameters);
  if (ioctl(fd, FS_IOC_READ_VERITY_METADATA, &request) != static_cast<int>(sizeof parameters)) return false;
  return parameters.version == kOurs.version && parameters.hash_algorithm == kOurs.hash_algorithm &&
         parameters.log_block_size == kOurs.log_block_size && parameters.salt_size == kOurs.salt_size;
}

}  // namespace

std::optional<Digest> MeasureVerity(int fd, Ioctl ioctl) {
  Measured measured = {.algorithm = 0, .digest_bytes = sizeof measured.digest, .digest = {}};
  if (ioctl(fd, FS_IOC_MEASURE_VERITY, &measured) != 0) return std::nullopt;
  const bool sha256 = measured.algorithm == FS_VERITY_HASH_ALG_SHA256 && measured.digest_bytes == sizeof measured.digest;
  if (!sha256 || !HasOurParameters(fd, ioctl)) return std::nullopt;
  return measured.digest;
}

std::optional<Digest> MeasureVerity(int fd) {
  return MeasureVerity(fd, [](int file, unsigned long request, void* argument) { return ::ioctl(file, request, argument); });
}

}  // namespace vram::ops
