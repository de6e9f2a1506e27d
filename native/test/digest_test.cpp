#include "ops/digest_run.h"

#include "ops/fsverity.h"
#include "test/host_digest.h"
#include "test/rig.h"

using namespace vram;
using namespace vram::test;

namespace {

// Confirmed with the fsverity command; data byte i = i mod 251. The window of the rig is 512 KiB.
const std::pair<std::uint64_t, const char*> kVectors[] = {
    {1, "b803429503d95915829b29fdbc8bbad142f3abfd11b1cadf5526582e685c0551"},
    {4096, "13e9b8848ae484a36acb3f3cac0ceb2f7601e96633d15c92f9bd3dd44e492157"},
    {4097, "b0d074abef4d544404facfab6ba242f6a8ccbde90f1325cd286f3c8aa8d0f8aa"},
    {524288, "d82861203d50ae9b60948504a704f35f5118bd229aeb1a22d6dae47b1767c4c4"},
    {524289, "4dc6905041c9c4ee73e13b53f63f5d289c46da359b664a965ead7f8cc4d799d4"},
};

}  // namespace

TEST("CI-004 the digest computed from device memory is the file's fs-verity digest") {
  for (const auto& [size, digest] : kVectors) {
    Rig rig;
    const auto mapping = rig.Loaded(Pattern(size));
    EXPECT_EQUAL(Must(rig.Digest(*mapping)), std::string(digest));
  }
}

TEST("CI-004 a digest over several windows is the digest of the whole") {
  Rig rig;
  const auto data = Pattern(kMiB + 1);
  const auto mapping = rig.Loaded(data);
  EXPECT_EQUAL(Must(rig.Digest(*mapping)), HostDigest(data));
}

TEST("CI-007 TT-1 test_digest_reverification: one flipped bit anywhere in device memory changes the digest") {
  Rig rig;
  const auto mapping = rig.Loaded(Pattern(524289));
  const std::string before = Must(rig.Digest(*mapping));
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{262144}, std::uint64_t{524288}}) {
    EXPECT(control::FlipBit(*mapping->buffer_id(), offset, 3));
    EXPECT(Must(rig.Digest(*mapping)) != before);
    EXPECT(control::FlipBit(*mapping->buffer_id(), offset, 3));
  }
  EXPECT_EQUAL(Must(rig.Digest(*mapping)), before);
}

TEST("CI-007 a kernel that is skipped, leaves or parents, is seen also right after a good digest") {
  for (const std::uint64_t after : {std::uint64_t{0}, std::uint64_t{1}}) {
    Rig rig;
    const auto mapping = rig.Loaded(Pattern(9000));
    Must(rig.Digest(*mapping));
    control::SkipKernel({.after = after, .sticky = false});
    EXPECT(CodeOf(rig.Digest(*mapping)) == Code::kCudaFailed);
  }
}

TEST("CI-007 a copy back that does not arrive is seen, of leaves or of parents") {
  for (const std::uint64_t after : {std::uint64_t{0}, std::uint64_t{1}}) {
    Rig rig;
    const auto mapping = rig.Loaded(Pattern(9000));
    Must(rig.Digest(*mapping));
    control::FaultCopy(control::Direction::kToHost, control::CopyDefect::kDrop, {.after = after, .sticky = false});
    EXPECT(CodeOf(rig.Digest(*mapping)) == Code::kCudaFailed);
  }
}

TEST("CI-007 a copy back of half a digest does not hash up to its parent") {
  for (const std::uint64_t after : {std::uint64_t{0}, std::uint64_t{1}}) {
    Rig rig;
    const auto mapping = rig.Loaded(Pattern(4097));
    Must(rig.Digest(*mapping));
    control::FaultCopy(control::Direction::kToHost, control::CopyDefect::kShort, {.after = after, .sticky = false});
    const auto digest = rig.Digest(*mapping);
    EXPECT(CodeOf(digest) == (after == 0 ? Code::kIntegrityViolation : Code::kCudaFailed));
  }
}

TEST("A copy back that arrives at the synchronisation gives the same digest") {
  Rig rig;
  const auto mapping = rig.Loaded(Pattern(600'000));
  const std::string good = Must(rig.Digest(*mapping));
  control::FaultCopy(control::Direction::kToHost, control::CopyDefect::kLate, {.after = 0, .sticky = true});
  EXPECT_EQUAL(Must(rig.Digest(*mapping)), good);
}

TEST("Every driver call of a digest that fails is CUDA_FAILED, and the next digest is good again") {
  for (const char* entry_point : {"cuMemsetD32Async", "cuMemsetD8Async", "cuLaunchKernel",
                                  "cuMemcpyDtoHAsync_v2", "cuStreamSynchronize"}) {
    Rig rig;
    const auto mapping = rig.Loaded(Pattern(9000));
    const std::string good = Must(rig.Digest(*mapping));
    control::FailCall(entry_point, driver::kLaunchOutOfResources, {});
    const auto failed = rig.Digest(*mapping);
    EXPECT(CodeOf(failed) == Code::kCudaFailed);
    EXPECT_EQUAL(std::string(failed.error().answer->entry_point), std::string(entry_point));
    EXPECT_EQUAL(Must(rig.Digest(*mapping)), good);
  }
}

TEST("Two digests may take turns on one workspace") {
  Rig rig;
  const auto a = rig.Loaded(Pattern(kMiB));
  const auto b = rig.Loaded(std::vector<std::byte>(kMiB));
  const std::string digest_a = Must(rig.Digest(*a));
  const std::string digest_b = Must(rig.Digest(*b));
  ops::DigestRun run_a(rig.context, *rig.workspace, *a, 0, kMiB);
  ops::DigestRun run_b(rig.context, *rig.workspace, *b, 0, kMiB);
  while (!run_a.finished()) {
    Must(run_a.Step());
    Must(run_b.Step());
  }
  EXPECT_EQUAL(ops::Hex(run_a.Finish()), digest_a);
  EXPECT_EQUAL(ops::Hex(run_b.Finish()), digest_b);
}
