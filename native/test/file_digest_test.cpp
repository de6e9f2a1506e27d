#include "ops/file_digest.h"

#include <fcntl.h>

#include "test/host_digest.h"
#include "test/load_rig.h"

using namespace vram;
using namespace vram::test;

namespace {

constexpr std::uint64_t kPiece = ops::FsverityTree::kMostPieceBytes;

Result<ops::Digest> DigestOf(const TemporaryFile& file, const ops::FileDigestOptions& options) {
  return ops::DigestFile(file.fd(), options);
}

}  // namespace

TEST("CI-004 a file's digest does not depend on the threads that read it") {
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{5000}, kPiece, 2 * kPiece + 4097}) {
    const auto data = Pattern(size);
    const TemporaryFile file(data);
    for (const unsigned threads : {1U, 2U, 3U, ops::kMostDigestThreads}) {
      EXPECT_EQUAL(ops::Hex(Must(DigestOf(file, {.threads = threads}))), HostDigest(data));
    }
  }
}

TEST("CI-004 the digest of an empty file is the fs-verity command's") {
  const TemporaryFile file({});
  EXPECT_EQUAL(ops::Hex(Must(DigestOf(file, {}))), std::string("3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95"));
}

TEST("Progress grows to the file's length") {
  const TemporaryFile file(Pattern(3 * kPiece + 5));
  std::vector<std::uint64_t> seen;
  Must(DigestOf(file, {.threads = 2, .progress = [&](std::uint64_t done, std::uint64_t total) {
                         EXPECT_EQUAL(total, 3 * kPiece + 5);
                         seen.push_back(done);
                       }}));
  EXPECT_EQUAL(seen.size(), std::size_t{4});
  EXPECT(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQUAL(seen.back(), 3 * kPiece + 5);
}

TEST("A number of threads that cannot be is refused") {
  const TemporaryFile file(Pattern(1));
  EXPECT(CodeOf(DigestOf(file, {.threads = 0})) == Code::kInvalidInput);
  EXPECT(CodeOf(DigestOf(file, {.threads = ops::kMostDigestThreads + 1})) == Code::kInvalidInput);
}

TEST("What is no regular file, and a file that cannot be read, are refused") {
  const ops::UniqueFd folder(open("/tmp", O_RDONLY | O_DIRECTORY));
  EXPECT(CodeOf(ops::DigestFile(folder.get(), {})) == Code::kInvalidInput);
  EXPECT(CodeOf(ops::DigestFile(-1, {})) == Code::kInvalidInput);
  char path[] = "/tmp/vram-digest-XXXXXX";
  const ops::UniqueFd readable(mkstemp(path));
  const ops::UniqueFd file(open(path, O_WRONLY));
  unlink(path);
  EXPECT_EQUAL(write(file.get(), "x", 1), ssize_t{1});
  EXPECT(CodeOf(ops::DigestFile(file.get(), {})) == Code::kInvalidInput);
}

TEST("TT-3 a file that changes while it is read has no digest") {
  const auto change = [](int fd, off_t length) { EXPECT_EQUAL(ftruncate(fd, length), 0); };
  for (const off_t length : {off_t{100}, static_cast<off_t>(3 * kPiece), static_cast<off_t>(2 * kPiece + 1)}) {
    const TemporaryFile file(Pattern(2 * kPiece));
    bool changed = false;
    const auto digest = DigestOf(file, {.progress = [&](std::uint64_t, std::uint64_t) {
                                          if (!std::exchange(changed, true)) change(file.fd(), length);
                                        }});
    EXPECT(CodeOf(digest) == Code::kInvalidInput);
  }
}

TEST("A digest that is aborted ends") {
  const TemporaryFile file(Pattern(2 * kPiece));
  const auto cancel = std::make_shared<std::atomic<bool>>(false);
  const auto digest = DigestOf(file, {.threads = 1, .cancel = cancel, .progress = [&](std::uint64_t, std::uint64_t) { *cancel = true; }});
  EXPECT(CodeOf(digest) == Code::kAborted);
}
