// Some of an image's blocks, hashed alone.
#pragma once

#include <cstdint>

#include "ops/digest_run.h"

namespace vram::ops {

struct BlockRange {
  std::uint64_t first;
  std::uint64_t count;
};

/// The blocks that a range of at least one byte touches.
BlockRange BlocksOf(std::uint64_t offset, std::uint64_t byte_length) noexcept;

/// A run over some blocks of the image in a mapping, which brings all their leaf digests back.
DigestRun RunOf(device::Context& context, device::Workspace& workspace, const device::Mapping& mapping, BlockRange blocks);

}  // namespace vram::ops
