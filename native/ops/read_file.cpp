#include "ops/read_file.h"

#include <errno.h>
#include <unistd.h>

#include <system_error>

#include "ops/aborted.h"

namespace vram::ops {

Status ReadWhole(int fd, off_t offset, std::span<std::byte> bytes, const Cancel& cancel) {
  while (!bytes.empty()) {
    if (cancel && cancel->load()) return Aborted();
    const ssize_t got = pread(fd, bytes.data(), bytes.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return InvalidInput("fd could not be read: " + std::generic_category().message(errno));
    if (got == 0) return InvalidInput("fd must hold byteLength bytes; the file ended before");
    offset += got;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return Done{};
}

}  // namespace vram::ops
