// SHA-256 with the processor's SHA instructions.
#pragma once

#include "hash/path.h"

namespace vram::hash {

void HashBlocksNi(const std::byte* blocks, std::size_t count, std::byte* digests);
void CompressNi(State& state, const std::byte* messages, std::size_t count);

}  // namespace vram::hash
