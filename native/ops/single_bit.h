// Whether a block differs in one bit from the block of a known digest.
#pragma once

#include <cstddef>
#include <span>

#include "hash/path.h"

namespace vram::ops {

/// Whether flipping one bit of `block` gives `digest`. Hashes up to 32,768 blocks; wipes the copies it makes.
bool OneFlipGives(std::span<const std::byte, hash::kBlockBytes> block, std::span<const std::byte> digest);

}  // namespace vram::ops
