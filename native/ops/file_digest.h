// The fs-verity digest of a file, computed on the host.
#pragma once

#include "hash/path.h"
#include "ops/fsverity.h"
#include "ops/read_file.h"

namespace vram::ops {

inline constexpr unsigned kMostDigestThreads = 64;

struct FileDigestOptions {
  const hash::Path& path = hash::BestPath();
  /// 1 to kMostDigestThreads; no more than the file has pieces of 4 MiB are used.
  unsigned threads = 1;
  Cancel cancel = {};
  Progress progress = {};
};

/// Reads and hashes a regular file from its first byte, on threads of its own. A file that changes meanwhile is an error.
Result<Digest> DigestFile(int fd, const FileDigestOptions& options);

}  // namespace vram::ops
