// SHA-256 of many blocks at once: one block in each 32-bit lane of AVX-512 vectors.
#pragma once

#include "hash/path.h"

namespace vram::hash {

inline constexpr std::size_t kMostLanes = 32;

/// Lanes without a block of their own do one again, for nothing.
void HashBlocksAvx512(const std::byte* blocks, std::size_t count, std::byte* digests);

}  // namespace vram::hash
