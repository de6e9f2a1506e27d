// The levels of an image's fs-verity tree, kept on the host. Nothing here is trusted: what is used of it is first hashed up to
// a digest that is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "driver/error.h"
#include "ops/sha256.h"

namespace vram::ops {

struct KeptTree {
  /// `parents` is the level above `leaves`; the same for an image of one block.
  KeptTree(std::uint64_t image_bytes, std::vector<std::byte> leaves, std::vector<std::byte> parents);

  std::span<const std::byte> Leaf(std::uint64_t index) const noexcept;
  std::span<const std::byte> Parents() const noexcept;

  /// Whether the level above the leaves hashes up to `digest`.
  bool ParentsAreOf(const Digest& digest) const;
  /// Whether the leaves under `count` tree blocks hash up to the level above.
  bool LeavesAreOfParents(std::uint64_t first_tree_block, std::uint64_t count) const;
  /// Whether one leaf hashes up to `digest`.
  bool LeafIsOf(std::uint64_t index, const Digest& digest) const;

  /// The file digest with `leaves` in place of those from `first_leaf` on. Hashes their way up, and nothing beside it.
  Digest FileDigestWith(std::uint64_t first_leaf, std::span<const std::byte> leaves) const;

  std::uint64_t byte_length;
  /// The leaves first, the one digest at the top last; each padded with zeros to whole tree blocks.
  std::vector<std::vector<std::byte>> levels;
};

inline Error TreeViolation() {
  return {.code = Code::kIntegrityViolation, .message = "The kept tree does not hash up to the digest", .reason = "tree"};
}

}  // namespace vram::ops
