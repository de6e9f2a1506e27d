// Memory on the simulator with its tree kept on the host, as the tests of ranges, damage and repair share it.
#pragma once

#include <random>
#include <set>

#include "ops/block_run.h"
#include "ops/fsverity.h"
#include "ops/kept_tree.h"
#include "ops/locate_run.h"
#include "ops/repair_run.h"
#include "test/rig.h"

namespace vram::test {

/// Images of one block, of blocks that fill no tree block and just one, of several windows, of three levels of tree.
inline constexpr std::uint64_t kImageSizes[] = {1, 4096, 4097, 524288, 524289, 2 * 524288 + 5000};

using Indices = std::set<std::uint64_t>;

class TreeRig : public Rig {
 public:
  explicit TreeRig(std::uint64_t byte_length, std::uint64_t lead_bytes = 0)
      : data(Pattern(byte_length)), mapping(Loaded(data, lead_bytes)), digest(Keep()) {}

  Result<std::vector<std::byte>> LeavesOf(ops::BlockRange blocks) {
    ops::DigestRun run = ops::RunOf(context, *workspace, *mapping, blocks);
    while (!run.finished()) {
      if (Status step = run.Step(); !step.ok()) return std::move(step).error();
    }
    return run.TakeLeaves();
  }

  Result<ops::Digest> RangeDigest(std::uint64_t offset, std::uint64_t length) {
    const ops::BlockRange blocks = ops::BlocksOf(offset, length);
    const auto leaves = LeavesOf(blocks);
    if (!leaves.ok()) return leaves.error();
    return tree->FileDigestWith(blocks.first, leaves.value());
  }

  Result<ops::Damage> Locate(std::uint64_t limit = 1000) {
    ops::LocateRun run(context, *workspace, *mapping, tree, digest, limit);
    while (!run.finished()) {
      if (Status step = run.Step(); !step.ok()) return std::move(step).error();
    }
    return run.damage();
  }

  ops::RepairReport Repair(std::vector<std::uint64_t> indices, const std::vector<std::byte>& image) {
    std::vector<std::byte> blocks;
    for (const std::uint64_t index : indices) {
      const auto from = image.begin() + static_cast<std::ptrdiff_t>(index * 4096);
      blocks.insert(blocks.end(), from, from + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(4096, image.size() - index * 4096)));
      blocks.resize((blocks.size() + 4095) / 4096 * 4096);
    }
    return ops::Repair(context, *mapping, *tree, digest, {std::move(indices), blocks});
  }

  void Flip(std::uint64_t offset, int bit = 0) {
    EXPECT(control::FlipBit(*mapping->buffer_id(), mapping->lead_bytes() + offset, bit));
  }

  ops::Digest DigestNow() {
    ops::DigestRun run(context, *workspace, *mapping, mapping->lead_bytes(), mapping->byte_length());
    while (!run.finished()) Must(run.Step());
    return run.Finish();
  }

 private:
  ops::Digest Keep() {
    ops::DigestRun run(context, *workspace, *mapping, mapping->lead_bytes(), mapping->byte_length(), ops::Leaves::kAll);
    while (!run.finished()) Must(run.Step());
    tree = std::make_shared<ops::KeptTree>(run.byte_length(), run.TakeLeaves(), run.parents());
    return run.Finish();
  }

 public:
  const std::vector<std::byte> data;
  const std::shared_ptr<device::Mapping> mapping;
  std::shared_ptr<ops::KeptTree> tree;
  const ops::Digest digest;
};

inline Indices IndicesOf(const ops::Damage& damage) {
  Indices indices;
  for (const ops::DamagedBlock& block : damage.blocks) indices.insert(block.index);
  return indices;
}

}  // namespace vram::test
