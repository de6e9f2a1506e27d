#include <optional>

#include "bench/measure.h"
#include "ops/file_digest.h"
#include "ops/hex.h"

namespace vram::bench {

Result<const hash::Path*> FindPath(const std::string& name) {
  if (name == "best") return &hash::BestPath();
  std::string known;
  for (const hash::Path& path : hash::AvailablePaths()) {
    if (name == path.name) return &path;
    known += (known.empty() ? "" : ", ") + std::string(path.name);
  }
  return InvalidInput("--path must be best or a path of this CPU: " + known);
}

Result<Measurement> DigestFile(const OpenFile& file, const hash::Path& path, unsigned threads) {
  const ops::FileDigestOptions options = {.path = path, .threads = threads};
  std::optional<Result<ops::Digest>> digest;
  const double seconds = SecondsOf([&] { digest = ops::DigestFile(file.fd.get(), options); });
  if (!digest->ok()) return std::move(*digest).error();
  return Measurement{seconds, file.byte_length, ops::Hex(digest->value())};
}

}  // namespace vram::bench
