#include "test/tree_rig.h"

using namespace vram;
using namespace vram::test;

namespace {

std::uint64_t Calls(const char* entry_point) { return control::ReadStats().calls[entry_point]; }

}  // namespace

TEST("Memory without damage has none located") {
  for (const std::uint64_t size : kImageSizes) {
    TreeRig rig(size, 32);
    const ops::Damage damage = Must(rig.Locate());
    EXPECT(damage.digest == rig.digest);
    EXPECT_EQUAL(damage.block_count, std::uint64_t{0});
    EXPECT(damage.blocks.empty());
  }
}

TEST("Every single flipped bit is located to its block and told as a single bit") {
  for (const std::uint64_t size : kImageSizes) {
    TreeRig rig(size, 32);
    for (const std::uint64_t offset : {std::uint64_t{0}, size - 1}) {
      rig.Flip(offset, 5);
      const ops::Damage damage = Must(rig.Locate());
      EXPECT(damage.digest != rig.digest);
      EXPECT(IndicesOf(damage) == Indices{offset / 4096});
      EXPECT(damage.blocks[0].single_bit == true);
      rig.Flip(offset, 5);
    }
  }
}

TEST("Property: exactly the blocks of random flips are located, in order") {
  std::mt19937_64 random(20260726);
  for (const std::size_t flips : {1, 2, 17}) {
    for (const std::uint64_t size : kImageSizes) {
      TreeRig rig(size);
      std::set<std::uint64_t> offsets;
      // At the end of a block, where the search for a single bit begins.
      for (std::size_t k = 0; k < flips; ++k) offsets.insert(std::min((random() % ops::LeafCount(size) + 1) * 4096, size) - 1);
      Indices damaged;
      for (const std::uint64_t offset : offsets) {
        rig.Flip(offset, static_cast<int>(random() % 8));
        damaged.insert(offset / 4096);
      }
      const ops::Damage damage = Must(rig.Locate());
      EXPECT_EQUAL(damage.block_count, std::uint64_t{damaged.size()});
      EXPECT_EQUAL(damage.blocks.size(), damaged.size());
      EXPECT(IndicesOf(damage) == damaged);
      for (std::size_t k = 1; k < damage.blocks.size(); ++k) EXPECT(damage.blocks[k - 1].index < damage.blocks[k].index);
    }
  }
}

TEST("Two flipped bits of a block are no single bit, and where one lies in the zeros after the image it is not known") {
  TreeRig rig(5000);
  rig.Flip(10);
  rig.Flip(4000);
  rig.Flip(4999);
  rig.Flip(8000);
  const ops::Damage damage = Must(rig.Locate());
  EXPECT_EQUAL(damage.blocks.size(), std::size_t{2});
  EXPECT(damage.blocks[0].single_bit == false);
  EXPECT(damage.blocks[1].single_bit == std::nullopt);
}

TEST("One bit of the zeros after the image is a single bit of its last block") {
  TreeRig rig(5000);
  rig.Flip(5000);
  const ops::Damage damage = Must(rig.Locate());
  EXPECT(IndicesOf(damage) == Indices{1});
  EXPECT(damage.blocks[0].single_bit == true);
}

TEST("All damage is counted, as much as was asked for is told, 16 blocks are examined") {
  TreeRig rig(524288 + 9000);
  const std::uint64_t blocks = ops::LeafCount(rig.data.size());
  for (std::uint64_t i = 0; i < blocks; ++i) rig.Flip(i * 4096 + 1);
  const std::uint64_t launches = Calls("cuLaunchKernel");
  const ops::Damage damage = Must(rig.Locate(20));
  EXPECT_EQUAL(damage.block_count, blocks);
  EXPECT_EQUAL(damage.blocks.size(), std::size_t{20});
  for (std::size_t k = 0; k < 20; ++k) EXPECT_EQUAL(damage.blocks[k].single_bit.has_value(), k < 16);
  // Two windows, each twice, and two levels of each.
  EXPECT_EQUAL(Calls("cuLaunchKernel") - launches, std::uint64_t{8});
}

TEST("Damaged tree blocks beside each other are hashed again in one launch") {
  TreeRig rig(kMiB + 9000);
  rig.workspace = Must(device::Workspace::Create(rig.context, 2 * kMiB));
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{524288}, std::uint64_t{kMiB}}) rig.Flip(offset);
  const std::uint64_t launches = Calls("cuLaunchKernel");
  EXPECT_EQUAL(Must(rig.Locate()).block_count, std::uint64_t{3});
  EXPECT_EQUAL(Calls("cuLaunchKernel") - launches, std::uint64_t{4});
}

TEST("A kept tree with a flipped bit never makes good memory damaged: what is needed of it is refused") {
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{4097}, std::uint64_t{524289 + 9000}}) {
    TreeRig rig(size);
    for (std::size_t level = 0; level < rig.tree->levels.size(); ++level) {
      std::vector<std::byte>& digests = rig.tree->levels[level];
      digests[3] ^= std::byte{1};
      const auto located = rig.Locate();
      EXPECT(!located.ok() || Must(located).block_count == 0);
      if (level == 1) EXPECT_EQUAL(std::string(located.error().reason), std::string("tree"));
      rig.Flip(0);
      const auto damaged = rig.Locate();
      if (level <= 1) {
        EXPECT(CodeOf(damaged) == Code::kIntegrityViolation);
        EXPECT_EQUAL(std::string(damaged.error().reason), std::string("tree"));
      } else {
        EXPECT(IndicesOf(Must(damaged)) == Indices{0});
      }
      rig.Flip(0);
      digests[3] ^= std::byte{1};
    }
  }
}

TEST("CI-007 skipped kernels and copies that do not arrive end a search, in each of its parts") {
  for (std::uint64_t after = 0; after < 4; ++after) {
    TreeRig rig(9000);
    rig.Flip(1);
    control::SkipKernel({.after = after, .sticky = false});
    EXPECT(CodeOf(rig.Locate()) == Code::kCudaFailed);
  }
  for (std::uint64_t after = 0; after < 5; ++after) {
    TreeRig rig(9000);
    rig.Flip(1);
    control::FaultCopy(control::Direction::kToHost, control::CopyDefect::kDrop, {.after = after, .sticky = false});
    EXPECT(CodeOf(rig.Locate()) == Code::kCudaFailed);
  }
}

TEST("Damage that is gone before it was found is told, not overlooked") {
  TreeRig rig(9000);
  rig.Flip(1);
  control::FlipBitAt(*rig.mapping->buffer_id(), 1, 0, "cuLaunchKernel", 2);
  EXPECT(CodeOf(rig.Locate()) == Code::kIntegrityViolation);
}
