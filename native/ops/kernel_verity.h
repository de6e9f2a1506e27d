// What the Linux kernel measured of a file that it protects itself (Documentation/filesystems/fsverity).
#pragma once

#include <optional>

#include "ops/sha256.h"

namespace vram::ops {

using Ioctl = int (*)(int fd, unsigned long request, void* argument);

/// The file's fs-verity digest as the kernel knows it, if it protects the file with our parameters: SHA-256, 4096-byte blocks,
/// no salt. Needs Linux 5.12, which first told the parameters.
std::optional<Digest> MeasureVerity(int fd);
/// The same over another system call.
std::optional<Digest> MeasureVerity(int fd, Ioctl ioctl);

}  // namespace vram::ops
