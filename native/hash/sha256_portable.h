// SHA-256 in plain C++, from the header that the digest kernel is made of.
#pragma once

#include "hash/path.h"

namespace vram::hash {

void HashBlocksPortable(const std::byte* blocks, std::size_t count, std::byte* digests);
void CompressPortable(State& state, const std::byte* messages, std::size_t count);

}  // namespace vram::hash
