// The digest kernel as PTX text, put into the binary at build time from native/kernel/fsverity.ptx.
#pragma once

#include <cstddef>

namespace vram::device {

/// Ends in a NUL that is not counted.
extern const unsigned char kKernelImage[];
extern const std::size_t kKernelImageBytes;

}  // namespace vram::device
