#include "test/host_digest.h"
#include "test/tree_rig.h"

using namespace vram;
using namespace vram::test;

TEST("A digest that keeps the tree is the file's, and so is what the tree hashes up to") {
  for (const std::uint64_t size : kImageSizes) {
    TreeRig rig(size, 48);
    EXPECT_EQUAL(ops::Hex(rig.digest), HostDigest(rig.data));
    EXPECT(rig.digest == rig.DigestNow());
    EXPECT(rig.tree->ParentsAreOf(rig.digest));
    EXPECT(rig.tree->LeavesAreOfParents(0, ops::ParentCount(size)));
    for (std::uint64_t i = 0; i < ops::LeafCount(size); ++i) EXPECT(rig.tree->LeafIsOf(i, rig.digest));
  }
}

TEST("The digest of a range is that of the file where there is no damage") {
  for (const std::uint64_t size : kImageSizes) {
    TreeRig rig(size, 16);
    const std::uint64_t middle = size / 2;
    for (const auto& [offset, length] : {std::pair{std::uint64_t{0}, size}, {middle, std::uint64_t{1}}, {middle, size - middle}, {size - 1, 1}}) {
      EXPECT(Must(rig.RangeDigest(offset, length)) == rig.digest);
    }
  }
}

TEST("The digest of a range changes with each block that it touches and with no other") {
  TreeRig rig(2 * 524288 + 5000);
  const std::uint64_t blocks = ops::LeafCount(rig.data.size());
  for (const std::uint64_t damaged : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, blocks - 1}) {
    rig.Flip(damaged * 4096 + 17);
    for (std::uint64_t first = damaged < 2 ? 0 : damaged - 2; first <= std::min(damaged + 1, blocks - 1); ++first) {
      const std::uint64_t offset = first * 4096 + 5;
      const bool touched = first == damaged || first + 1 == damaged;
      EXPECT_EQUAL(Must(rig.RangeDigest(offset, std::min<std::uint64_t>(4096, rig.data.size() - offset))) == rig.digest, !touched);
    }
    rig.Flip(damaged * 4096 + 17);
  }
}

TEST("A flipped bit of the kept tree never makes damaged memory pass") {
  for (const std::uint64_t size : {std::uint64_t{4096}, std::uint64_t{4097}, std::uint64_t{2 * 524288 + 5000}}) {
    TreeRig rig(size);
    rig.Flip(2);
    const std::vector<std::byte> leaves = Must(rig.LeavesOf({0, 1}));
    for (auto& level : rig.tree->levels) {
      for (std::size_t at = 0; at < level.size(); at += 97) {
        level[at] ^= std::byte{4};
        EXPECT(rig.tree->FileDigestWith(0, leaves) != rig.digest);
        level[at] ^= std::byte{4};
      }
    }
  }
}

TEST("A kept tree of other bytes does not hash up to the sealed digest") {
  const ops::Digest sealed = TreeRig(9000).digest;
  TreeRig other(9001);
  EXPECT(!other.tree->ParentsAreOf(sealed));
  EXPECT(!other.tree->LeafIsOf(0, sealed));
  EXPECT(Must(other.RangeDigest(0, 9000)) != sealed);
}

TEST("CI-007 no leaf of a skipped kernel or of a copy that did not arrive is kept or believed") {
  for (const std::uint64_t after : {std::uint64_t{0}, std::uint64_t{1}}) {
    for (const bool skip : {true, false}) {
      TreeRig rig(9000);
      if (skip) {
        control::SkipKernel({.after = after, .sticky = false});
      } else {
        control::FaultCopy(control::Direction::kToHost, control::CopyDefect::kDrop, {.after = after, .sticky = false});
      }
      EXPECT(CodeOf(rig.RangeDigest(0, 9000)) == Code::kCudaFailed);
      EXPECT(Must(rig.RangeDigest(0, 9000)) == rig.digest);
    }
  }
}

TEST("CI-007 half of the leaves copied back do not hash up to their parents") {
  TreeRig rig(524288);
  control::FaultCopy(control::Direction::kToHost, control::CopyDefect::kShort, {.after = 1, .sticky = false});
  EXPECT(!rig.RangeDigest(0, 524288).ok());
}
