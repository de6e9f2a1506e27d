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

/// One level up: each tree block of digests becomes one digest.
std::vector<std::byte> NextLevel(std::span<const std::byte> level) {
  std::vector<std::byte> above(device::CeilDivide(level.size(), kBlockBytes) * kDigestBytes);
  for (std::uint64_t i = 0; i * kBlockBytes < level.size(); ++i) {
    const auto part = level.subspan(i * kBlockBytes, std::min(kBlockBytes, level.size() - i * kBlockBytes));
    TreeBlock block = {};
    std::copy(part.begin(), part.end(), block.begin());
    Put(above, i, Sha256Of(block));
  }
  return above;
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

void HashDataBlocks(std::span<const std::byte> data, bool single_leaf, std::span<std::byte> parents) {
  if (single_leaf) {
    Put(parents, 0, Sha256Of(data.first(kBlockBytes)));
    return;
  }
  for (std::uint64_t parent = 0; parent * kTreeBlockData < data.size(); ++parent) {
    const auto part = data.subspan(parent * kTreeBlockData, std::min(kTreeBlockData, data.size() - parent * kTreeBlockData));
    TreeBlock leaves = {};
    for (std::uint64_t leaf = 0; leaf * kBlockBytes < part.size(); ++leaf) {
      Put(leaves, leaf, Sha256Of(part.subspan(leaf * kBlockBytes, kBlockBytes)));
    }
    Put(parents, parent, Sha256Of(leaves));
  }
}

Digest FileDigest(std::vector<std::byte> parents, std::uint64_t byte_length) {
  while (parents.size() > kDigestBytes) parents = NextLevel(parents);
  std::array<std::byte, kDescriptorBytes> descriptor = {};
  descriptor[0] = std::byte{1};   // version
  descriptor[1] = std::byte{1};   // SHA-256
  descriptor[2] = std::byte{12};  // log2 of the block size
  std::memcpy(descriptor.data() + 8, &byte_length, sizeof byte_length);
  std::copy(parents.begin(), parents.end(), descriptor.begin() + 16);
  return Sha256Of(descriptor);
}

Digest ZeroFileDigest(std::uint64_t byte_length) {
  const Digest leaf = Sha256Of(TreeBlock{});
  const std::uint64_t leaves = LeafCount(byte_length);
  std::vector<std::byte> parents(ParentCount(byte_length) * kDigestBytes);
  if (leaves == 1) {
    Put(parents, 0, leaf);
    return FileDigest(std::move(parents), byte_length);
  }
  const Digest full = ParentOfSame(leaf, kTreeFan);
  const std::uint64_t full_count = leaves / kTreeFan;
  for (std::uint64_t i = 0; i < full_count; ++i) Put(parents, i, full);
  if (leaves % kTreeFan != 0) Put(parents, full_count, ParentOfSame(leaf, leaves % kTreeFan));
  return FileDigest(std::move(parents), byte_length);
}

}  // namespace vram::ops
