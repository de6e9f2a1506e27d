#include "ops/fsverity.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "device/checked.h"
#include "device/workspace.h"

namespace vram::ops {

using device::kBlockBytes;
using device::kDigestBytes;
using device::kTreeBlockData;
using device::kTreeFan;

namespace {

constexpr std::size_t kDescriptorBytes = 256;

using TreeBlock = std::array<std::byte, kBlockBytes>;

void Put(std::span<std::byte> to, std::uint64_t index, const Digest& digest) {
  std::copy(digest.begin(), digest.end(), to.begin() + static_cast<std::ptrdiff_t>(index * kDigestBytes));
}

/// The parent of `leaf_count` leaves that are all alike.
Digest ParentOfSame(const Digest& leaf, std::uint64_t leaf_count) {
  TreeBlock block = {};
  for (std::uint64_t i = 0; i < leaf_count; ++i) Put(block, i, leaf);
  return Sha256Of(block);
}

}  // namespace

std::uint64_t LeafCount(std::uint64_t byte_length) { return device::CeilDivide(byte_length, kBlockBytes); }

std::uint64_t ParentCount(std::uint64_t byte_length) { return device::CeilDivide(byte_length, kTreeBlockData); }

FsverityTree::FsverityTree(std::uint64_t byte_length, const hash::Path& path)
    : byte_length_(byte_length), path_(path), parents_(ParentCount(byte_length) * kDigestBytes) {}

void FsverityTree::Piece::Hash(std::span<const std::byte> blocks) {
  const std::uint64_t count = blocks.size() / kBlockBytes;
  const std::span<std::byte> leaves = std::span(leaves_).subspan(leaf_bytes_, count * kDigestBytes);
  tree_.path_.hash_blocks(blocks.data(), count, leaves.data());
  leaf_bytes_ += leaves.size();
}

void FsverityTree::Piece::Close() {
  const std::uint64_t tree_blocks = device::CeilDivide(leaf_bytes_, kBlockBytes);
  const std::span<std::byte> parents =
      std::span(tree_.parents_).subspan(offset_ / kTreeBlockData * kDigestBytes, tree_blocks * kDigestBytes);
  if (LeafCount(tree_.byte_length_) == 1) {
    std::copy_n(leaves_.begin(), kDigestBytes, parents.begin());
    return;
  }
  std::ranges::fill(std::span(leaves_).first(tree_blocks * kBlockBytes).subspan(leaf_bytes_), std::byte{0});
  tree_.path_.hash_blocks(leaves_.data(), tree_blocks, parents.data());
}

Digest FsverityTree::Finish() const { return FileDigest(parents_, byte_length_, path_); }

std::vector<std::byte> LevelAbove(std::span<const std::byte> level, const hash::Path& path) {
  const std::uint64_t whole = level.size() / kBlockBytes;
  std::vector<std::byte> above(device::CeilDivide(level.size(), kBlockBytes) * kDigestBytes);
  path.hash_blocks(level.data(), whole, above.data());
  if (const auto rest = level.subspan(whole * kBlockBytes); !rest.empty()) {
    TreeBlock block = {};
    std::ranges::copy(rest, block.begin());
    path.hash_blocks(block.data(), 1, above.data() + whole * kDigestBytes);
  }
  return above;
}

Digest DescriptorDigest(std::span<const std::byte> root, std::uint64_t byte_length) {
  std::array<std::byte, kDescriptorBytes> descriptor = {};
  descriptor[0] = std::byte{1};   // version
  descriptor[1] = std::byte{1};   // SHA-256
  descriptor[2] = std::byte{12};  // log2 of the block size
  std::memcpy(descriptor.data() + 8, &byte_length, sizeof byte_length);
  std::copy(root.begin(), root.end(), descriptor.begin() + 16);
  return Sha256Of(descriptor);
}

Digest FileDigest(std::span<const std::byte> level, std::uint64_t byte_length, const hash::Path& path) {
  std::vector<std::byte> above;
  while (level.size() > kDigestBytes) {
    above = LevelAbove(level, path);
    level = above;
  }
  return DescriptorDigest(level, byte_length);
}

Digest ZeroFileDigest(std::uint64_t byte_length) {
  const Digest leaf = Sha256Of(TreeBlock{});
  const std::uint64_t leaves = LeafCount(byte_length);
  std::vector<std::byte> parents(ParentCount(byte_length) * kDigestBytes);
  if (leaves == 1) {
    Put(parents, 0, leaf);
    return FileDigest(parents, byte_length);
  }
  const Digest full = ParentOfSame(leaf, kTreeFan);
  const std::uint64_t full_count = leaves / kTreeFan;
  for (std::uint64_t i = 0; i < full_count; ++i) Put(parents, i, full);
  if (leaves % kTreeFan != 0) Put(parents, full_count, ParentOfSame(leaf, leaves % kTreeFan));
  return FileDigest(parents, byte_length);
}

}  // namespace vram::ops
