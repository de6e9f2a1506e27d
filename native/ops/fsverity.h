// The fs-verity digest (Linux, Documentation/filesystems/fsverity): SHA-256, 4096-byte blocks, no salt.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ops/sha256.h"

namespace vram::ops {

/// Number of 4096-byte data blocks of a file.
std::uint64_t LeafCount(std::uint64_t byte_length);
/// Number of digests one level above the leaves; 1 for a file of one block, whose leaf stands there.
std::uint64_t ParentCount(std::uint64_t byte_length);

/// Hashes data that starts at a multiple of 524288 into its parents, one digest for each 524288 bytes begun. The last
/// block must be padded with zeros in place: `data` is a multiple of 4096. With `single_leaf` the one digest is the leaf.
void HashDataBlocks(std::span<const std::byte> data, bool single_leaf, std::span<std::byte> parents);

/// The file digest from the level above the leaves.
Digest FileDigest(std::vector<std::byte> parents, std::uint64_t byte_length);

/// The file digest of `byte_length` zero bytes.
Digest ZeroFileDigest(std::uint64_t byte_length);

}  // namespace vram::ops
