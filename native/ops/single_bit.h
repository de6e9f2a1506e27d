// Whether a block differs in one bit from the block of a known digest.
#pragma once

#include <cstddef>
#include <span>

#include "hash/path.h"

namespace vram::ops {

/// Whether flipping one bit of `block` gives `digest`. Hashes as much as 16,896 blocks at most; wipes the copy it makes.
bool OneFlipGives(std::span<const std::byte, hash::kBlockBytes> block, std::span<const std::byte> digest);

}  // namespace vram::ops
