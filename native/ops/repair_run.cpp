#include "ops/repair_run.h"

#include <string.h>

#include <algorithm>

#include "ops/bytes.h"
#include "ops/fsverity.h"

namespace vram::ops {

using device::kBlockBytes;

namespace {

Status CheckBlocks(const KeptTree& tree, const Digest& digest, const Replacement& replacement) {
  for (std::size_t k = 0; k < replacement.indices.size(); ++k) {
    const std::uint64_t index = replacement.indices[k];
    if (index >= LeafCount(tree.byte_length)) return InvalidInput("index must be that of a block of the allocation");
    if (!tree.LeafIsOf(index, digest)) return TreeViolation();
    if (!ConstantTimeEqual(Sha256Of(replacement.Block(k)), tree.Leaf(index))) {
      return Error{.code = Code::kIntegrityViolation, .message = "A block to write is not the one that was sealed", .reason = "block"};
    }
  }
  return Done{};
}

Status Write(device::Context& context, device::Mapping& mapping, std::uint64_t index, std::span<const std::byte> block) {
  const std::uint64_t offset = index * kBlockBytes;
  const std::uint64_t length = std::min(kBlockBytes, mapping.byte_length() - offset);
  Status done = context.CopyIn(mapping, offset, block.first(length));
  if (!done.ok()) return done;
  return context.FillBytes(mapping, mapping.lead_bytes() + offset + length, kBlockBytes - length, 0);
}

Status WriteAll(device::Context& context, device::Mapping& mapping, const Replacement& replacement) {
  Status done = mapping.Thaw();
  for (std::size_t k = 0; done.ok() && k < replacement.indices.size(); ++k) {
    done = Write(context, mapping, replacement.indices[k], replacement.Block(k));
  }
  // Also after a failure: the copies in flight name the replacement's bytes.
  Status synchronised = context.Synchronize();
  return done.ok() ? std::move(synchronised) : std::move(done);
}

}  // namespace

Replacement::Replacement(std::vector<std::uint64_t> block_indices, std::span<const std::byte> block_bytes)
    : indices(std::move(block_indices)), bytes(block_bytes.begin(), block_bytes.end()) {}

Replacement::~Replacement() { explicit_bzero(bytes.data(), bytes.size()); }

std::span<const std::byte> Replacement::Block(std::size_t k) const noexcept {
  return std::span(bytes).subspan(k * kBlockBytes, kBlockBytes);
}

RepairReport Repair(device::Context& context, device::Mapping& mapping, const KeptTree& tree, const Digest& digest,
                    const Replacement& replacement) {
  if (Status checked = CheckBlocks(tree, digest, replacement); !checked.ok()) return {true, std::move(checked).error()};
  std::optional<Error> first;
  KeepFirst(first, WriteAll(context, mapping, replacement));
  Status frozen = mapping.Freeze();
  const bool is_frozen = frozen.ok();
  KeepFirst(first, std::move(frozen));
  return {is_frozen, std::move(first)};
}

}  // namespace vram::ops
