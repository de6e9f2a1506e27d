#include <fcntl.h>

#include <thread>

#include "test/load_rig.h"

using namespace vram;
using namespace vram::test;

TEST("A file arrives whole, with progress that grows to its length") {
  const auto data = Pattern(9 * kMiB / 8 + 5);
  const TemporaryFile file(data);
  for (const bool flat : {false, true}) {
    LoadRig rig;
    const auto load = rig.Begin(data.size(), {.sha256 = flat});
    std::vector<std::uint64_t> seen;
    Must(rig.AppendFile(*load, file.fd(), data.size(), nullptr, [&](std::uint64_t done, std::uint64_t total) {
      EXPECT_EQUAL(total, data.size());
      seen.push_back(done);
    }));
    const ops::LoadedDigests digests = Must(rig.Finish(*load));
    EXPECT(!seen.empty());
    EXPECT_EQUAL(seen.back(), data.size());
    EXPECT(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_EQUAL(rig.DeviceDigest(), ops::Hex(digests.fsverity.value()));
    if (digests.sha256) EXPECT(*digests.sha256 == ops::Sha256Of(data));
    EXPECT(rig.Release().wiped);
  }
}

TEST("Chunks before and after a file make one whole") {
  const auto data = Pattern(2 * kMiB);
  const auto part = std::span(data);
  const TemporaryFile file(part.subspan(1000, kMiB));
  LoadRig rig;
  const auto load = rig.Begin(data.size(), {.sha256 = true});
  Must(rig.AppendAll(*load, part.first(1000), 1000));
  Must(rig.AppendFile(*load, file.fd(), kMiB));
  Must(rig.AppendAll(*load, part.subspan(kMiB + 1000), 100'000));
  const ops::LoadedDigests digests = Must(rig.Finish(*load));
  EXPECT(*digests.sha256 == ops::Sha256Of(data));
  EXPECT_EQUAL(rig.DeviceDigest(), ops::Hex(digests.fsverity.value()));
  rig.Release();
}

TEST("A head from memory and the rest of the file behind it make one image, also after a lead") {
  const auto data = Pattern(kMiB + 77);
  const TemporaryFile file(data);
  for (const std::uint64_t head : {std::uint64_t{1}, std::uint64_t{4096}, kTestSlotBytes + 9}) {
    LoadRig rig;
    const auto load = rig.Begin(data.size(), {.sha256 = true}, 208);
    Must(rig.AppendAll(*load, std::span(data).first(head), 100'000));
    Must(rig.AppendFile(*load, file.fd(), ops::FileRange{head, data.size() - head}));
    const ops::LoadedDigests digests = Must(rig.Finish(*load));
    EXPECT(*digests.sha256 == ops::Sha256Of(data));
    EXPECT_EQUAL(rig.DeviceDigest(), ops::Hex(digests.fsverity.value()));
    EXPECT(rig.Release().wiped);
  }
}

TEST("A file shorter than said, a pipe and a folder are INVALID_INPUT, and the memory is wiped") {
  const TemporaryFile file(Pattern(5000));
  int ends[2] = {};
  EXPECT_EQUAL(pipe(ends), 0);
  const int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (const int fd : {file.fd(), ends[0], folder}) {
    LoadRig rig;
    const auto load = rig.Begin(5001);
    EXPECT(CodeOf(rig.AppendFile(*load, fd, 5001)) == Code::kInvalidInput);
    EXPECT(CodeOf(rig.Finish(*load)) == Code::kInvalidInput);
    rig.Abort(*load);
    EXPECT(rig.Release().wiped);
  }
  for (const int fd : {ends[0], ends[1], folder}) close(fd);
}

TEST("IO-3 a file length beyond the allocation is refused before a byte is read") {
  const TemporaryFile file(Pattern(100));
  LoadRig rig;
  const auto load = rig.Begin(50);
  EXPECT(CodeOf(rig.AppendFile(*load, file.fd(), 51)) == Code::kInvalidInput);
  EXPECT(CodeOf(rig.AppendFile(*load, file.fd(), UINT64_MAX)) == Code::kInvalidInput);
  Must(rig.AppendFile(*load, file.fd(), 50));
  Must(rig.Finish(*load));
  rig.Release();
}

TEST("A file load is aborted between pieces") {
  const TemporaryFile file(Pattern(4 * kMiB));
  LoadRig rig;
  const auto load = rig.Begin(4 * kMiB);
  const auto cancel = std::make_shared<std::atomic<bool>>(false);
  const auto aborted = rig.AppendFile(*load, file.fd(), 4 * kMiB, cancel, [&](std::uint64_t done, std::uint64_t) {
    if (done >= kTestSlotBytes) *cancel = true;
  });
  EXPECT(CodeOf(aborted) == Code::kAborted);
  EXPECT(control::ReadStats().calls["cuMemcpyHtoDAsync_v2"] < 8U);
  rig.Abort(*load);
  EXPECT(rig.Release().wiped);
}

TEST("A failing copy stops the reading of the file") {
  const TemporaryFile file(Pattern(4 * kMiB));
  LoadRig rig;
  const auto load = rig.Begin(4 * kMiB);
  control::FailCall("cuMemcpyHtoDAsync_v2", driver::kInvalidValue, {.after = 1, .sticky = false});
  EXPECT(CodeOf(rig.AppendFile(*load, file.fd(), 4 * kMiB)) == Code::kCudaFailed);
  EXPECT(control::ReadStats().calls["cuMemcpyHtoDAsync_v2"] < 8U);
  rig.Abort(*load);
  EXPECT(rig.Release().wiped);
}

TEST("A device lost during a file load is DEVICE_LOST") {
  const TemporaryFile file(Pattern(2 * kMiB));
  LoadRig rig;
  const auto load = rig.Begin(2 * kMiB);
  control::FailCall("cuStreamSynchronize", driver::kEccUncorrectable, {.after = 1, .sticky = false});
  EXPECT(CodeOf(rig.AppendFile(*load, file.fd(), 2 * kMiB)) == Code::kDeviceLost);
  rig.Abort(*load);
  EXPECT(rig.Release().lost);
}
