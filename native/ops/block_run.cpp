#include "ops/block_run.h"

#include <algorithm>

namespace vram::ops {

using device::kBlockBytes;

BlockRange BlocksOf(std::uint64_t offset, std::uint64_t byte_length) noexcept {
  const std::uint64_t first = offset / kBlockBytes;
  return {first, (offset + (byte_length - 1)) / kBlockBytes - first + 1};
}

DigestRun RunOf(device::Context& context, device::Workspace& workspace, const device::Mapping& mapping, BlockRange blocks) {
  const std::uint64_t begin = blocks.first * kBlockBytes;
  const std::uint64_t end = std::min((blocks.first + blocks.count) * kBlockBytes, mapping.byte_length());
  return DigestRun(context, workspace, mapping, mapping.lead_bytes() + begin, end - begin, Leaves::kAll);
}

}  // namespace vram::ops
