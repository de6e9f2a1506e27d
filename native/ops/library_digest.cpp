#include "ops/library_digest.h"

#include <fcntl.h>

#include <vector>

#include "ops/unique_fd.h"

namespace vram::ops {

Result<Digest> FileSha256(const std::string& path) {
  constexpr std::size_t kPieceBytes = 256 * 1024;
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<std::byte> piece(kPieceBytes);
  Sha256 sha256;
  for (;;) {
    const ssize_t got = file.valid() ? read(file.get(), piece.data(), piece.size()) : -1;
    if (got < 0) return Error{Code::kDriverUnavailable, "The driver library's file could not be read"};
    if (got == 0) return sha256.Finish();
    sha256.Update(std::span(piece).first(static_cast<std::size_t>(got)));
  }
}

}  // namespace vram::ops
