#include "ops/file_digest.h"

#include <sys/stat.h>

#include <algorithm>
#include <mutex>

#include "device/checked.h"
#include "device/worker_threads.h"
#include "device/workspace.h"
#include "ops/aborted.h"
#include "ops/staging.h"

namespace vram::ops {
namespace {

/// What is read at once stays in the processor's second cache until it is hashed.
constexpr std::uint64_t kReadBytes = device::kTreeBlockData;
constexpr std::uint64_t kPieceBytes = FsverityTree::kMostPieceBytes;

class FileDigestRun {
 public:
  FileDigestRun(int fd, std::uint64_t byte_length, const FileDigestOptions& options)
      : fd_(fd), byte_length_(byte_length), options_(options), tree_(byte_length, options.path) {}

  Result<Digest> Run() {
    const std::uint64_t pieces = device::CeilDivide(byte_length_, kPieceBytes);
    const std::size_t threads = std::min<std::uint64_t>(options_.threads, pieces);
    if (Status ready = buffers_.Prepare(threads, kReadBytes); !ready.ok()) return std::move(ready).error();
    {
      device::WorkerThreads others(threads - 1, "vram-digest");
      for (std::size_t thread = 1; thread < threads; ++thread) {
        others.Post([this, thread] { Work(buffers_.Slot(thread)); });
      }
      Work(buffers_.Slot(0));
    }
    if (error_) return *std::move(error_);
    return tree_.Finish();
  }

 private:
  void Work(std::span<std::byte> buffer) {
    for (;;) {
      const std::uint64_t offset = next_.fetch_add(kPieceBytes);
      if (offset >= byte_length_ || stopped_) return;
      Status done = HashPiece(offset, buffer);
      const std::lock_guard lock(mutex_);
      if (!done.ok()) {
        stopped_ = true;
        if (!error_) error_ = std::move(done).error();
        return;
      }
      done_bytes_ += std::min(kPieceBytes, byte_length_ - offset);
      if (options_.progress) options_.progress(done_bytes_, byte_length_);
    }
  }

  Status HashPiece(std::uint64_t offset, std::span<std::byte> buffer) {
    FsverityTree::Piece piece(tree_, offset);
    const std::uint64_t end = std::min(offset + kPieceBytes, byte_length_);
    for (std::uint64_t at = offset; at < end; at += kReadBytes) {
      const std::uint64_t length = std::min(kReadBytes, end - at);
      Status read = ReadWhole(fd_, static_cast<off_t>(at), buffer.first(length), options_.cancel);
      if (!read.ok()) return read;
      const std::span<std::byte> blocks = buffer.first(LeafCount(length) * device::kBlockBytes);
      std::ranges::fill(blocks.subspan(length), std::byte{0});
      piece.Hash(blocks);
    }
    piece.Close();
    return Done{};
  }

  const int fd_;
  const std::uint64_t byte_length_;
  const FileDigestOptions& options_;
  FsverityTree tree_;
  Staging buffers_;
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::uint64_t done_bytes_ = 0;
  std::optional<Error> error_;
};

struct FileState {
  std::uint64_t byte_length;
  timespec modified;
  timespec changed;
};

Result<FileState> ReadState(int fd) {
  struct stat state = {};
  if (fstat(fd, &state) != 0) return InvalidInput("fd must be an open file descriptor");
  if (!S_ISREG(state.st_mode)) return InvalidInput("fd must be a regular file");
  return FileState{static_cast<std::uint64_t>(state.st_size), state.st_mtim, state.st_ctim};
}

bool Same(const FileState& a, const FileState& b) {
  const auto same = [](const timespec& x, const timespec& y) { return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec; };
  return a.byte_length == b.byte_length && same(a.modified, b.modified) && same(a.changed, b.changed);
}

}  // namespace

Result<Digest> DigestFile(int fd, const FileDigestOptions& options) {
  if (options.threads == 0 || options.threads > kMostDigestThreads) {
    return InvalidInput("threads must be an integer from 1 to " + std::to_string(kMostDigestThreads));
  }
  const Result<FileState> before = ReadState(fd);
  if (!before.ok()) return before.error();
  const std::uint64_t byte_length = before.value().byte_length;
  // The root of an empty file is no hash at all.
  Result<Digest> digest = byte_length == 0 ? Result<Digest>(FileDigest({}, 0)) : FileDigestRun(fd, byte_length, options).Run();
  const Result<FileState> after = ReadState(fd);
  if (!after.ok()) return after.error();
  const bool aborted = !digest.ok() && digest.error().code == Code::kAborted;
  if (!aborted && !Same(before.value(), after.value())) return InvalidInput("fd must not change while it is read");
  return digest;
}

}  // namespace vram::ops
