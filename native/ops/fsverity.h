// The fs-verity digest (Linux, Documentation/filesystems/fsverity): SHA-256, 4096-byte blocks, no salt.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "hash/path.h"
#include "ops/sha256.h"

namespace vram::ops {

/// Number of 4096-byte data blocks of a file.
std::uint64_t LeafCount(std::uint64_t byte_length);
/// Number of digests one level above the leaves; 1 for a file of one block, whose leaf stands there.
std::uint64_t ParentCount(std::uint64_t byte_length);

/// The tree of one file, built from pieces that come in any order and from several threads.
class FsverityTree {
 public:
  explicit FsverityTree(std::uint64_t byte_length, const hash::Path& path = hash::BestPath());

  static constexpr std::uint64_t kMostPieceBytes = std::uint64_t{4} << 20;

  /// A part of the file of at most kMostPieceBytes that begins at a multiple of 524288; its blocks come in order. Pieces of one
  /// tree are hashed independently of each other.
  class Piece {
   public:
    Piece(FsverityTree& tree, std::uint64_t offset) : tree_(tree), offset_(offset) {}
    /// Hashes the next blocks: whole ones, the file's last one padded with zeros.
    void Hash(std::span<const std::byte> blocks);
    /// Hands the piece to its tree. It ends at a multiple of 524288, or the file ends with it.
    void Close();

   private:
    FsverityTree& tree_;
    const std::uint64_t offset_;
    std::array<std::byte, kMostPieceBytes / hash::kBlockBytes * hash::kDigestBytes> leaves_;
    std::size_t leaf_bytes_ = 0;
  };

  /// The file digest, once every piece was closed.
  Digest Finish() const;

 private:
  const std::uint64_t byte_length_;
  const hash::Path& path_;
  std::vector<std::byte> parents_;
};

/// One level up: the digests fill tree blocks, the last one padded with zeros, and each tree block becomes one digest.
std::vector<std::byte> LevelAbove(std::span<const std::byte> level, const hash::Path& path = hash::BestPath());

/// The file digest from the one digest at the top.
Digest DescriptorDigest(std::span<const std::byte> root, std::uint64_t byte_length);

/// The file digest from the leaves or the level above them.
Digest FileDigest(std::span<const std::byte> level, std::uint64_t byte_length, const hash::Path& path = hash::BestPath());

/// The file digest of `byte_length` zero bytes, at least one.
Digest ZeroFileDigest(std::uint64_t byte_length);

}  // namespace vram::ops
