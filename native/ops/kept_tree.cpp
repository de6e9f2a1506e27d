#include "ops/kept_tree.h"

#include <algorithm>

#include "device/checked.h"
#include "device/workspace.h"
#include "ops/bytes.h"
#include "ops/fsverity.h"

namespace vram::ops {

using device::kBlockBytes;
using device::kDigestBytes;
using device::kTreeFan;

namespace {

std::vector<std::byte> Padded(std::vector<std::byte> level) {
  level.resize(device::CeilDivide(level.size(), kBlockBytes) * kBlockBytes);
  return level;
}

std::span<const std::byte> Digests(std::span<const std::byte> level, std::uint64_t first, std::uint64_t count) {
  return level.subspan(first * kDigestBytes, count * kDigestBytes);
}

}  // namespace

KeptTree::KeptTree(std::uint64_t image_bytes, std::vector<std::byte> leaves, std::vector<std::byte> parents)
    : byte_length(image_bytes) {
  if (LeafCount(byte_length) > 1) levels.push_back(Padded(std::move(leaves)));
  while (parents.size() > kDigestBytes) {
    std::vector<std::byte> above = LevelAbove(parents);
    levels.push_back(Padded(std::move(parents)));
    parents = std::move(above);
  }
  levels.push_back(Padded(std::move(parents)));
}

std::span<const std::byte> KeptTree::Leaf(std::uint64_t index) const noexcept { return Digests(levels.front(), index, 1); }

std::span<const std::byte> KeptTree::Parents() const noexcept {
  return Digests(levels.size() == 1 ? levels.front() : levels[1], 0, ParentCount(byte_length));
}

bool KeptTree::ParentsAreOf(const Digest& digest) const {
  return ConstantTimeEqual(FileDigest(Parents(), byte_length), digest);
}

bool KeptTree::LeavesAreOfParents(std::uint64_t first_tree_block, std::uint64_t count) const {
  if (levels.size() == 1) return true;
  std::vector<std::byte> parents(count * kDigestBytes);
  hash::BestPath().hash_blocks(levels.front().data() + first_tree_block * kBlockBytes, count, parents.data());
  return ConstantTimeEqual(parents, Digests(levels[1], first_tree_block, count));
}

bool KeptTree::LeafIsOf(std::uint64_t index, const Digest& digest) const {
  return ConstantTimeEqual(FileDigestWith(index, Leaf(index)), digest);
}

Digest KeptTree::FileDigestWith(std::uint64_t first_leaf, std::span<const std::byte> leaves) const {
  std::vector<std::byte> changed(leaves.begin(), leaves.end());
  std::uint64_t first = first_leaf;
  for (std::size_t level = 0; level + 1 < levels.size(); ++level) {
    const std::uint64_t tree_block = first / kTreeFan;
    const std::uint64_t skipped = first % kTreeFan * kDigestBytes;
    const std::uint64_t touched = device::CeilDivide(skipped + changed.size(), kBlockBytes);
    const auto from = levels[level].begin() + static_cast<std::ptrdiff_t>(tree_block * kBlockBytes);
    std::vector<std::byte> blocks(from, from + static_cast<std::ptrdiff_t>(touched * kBlockBytes));
    std::ranges::copy(changed, blocks.begin() + static_cast<std::ptrdiff_t>(skipped));
    changed = LevelAbove(blocks);
    first = tree_block;
  }
  return DescriptorDigest(changed, byte_length);
}

}  // namespace vram::ops
