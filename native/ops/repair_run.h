// Writes damaged blocks of frozen memory anew.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "device/context.h"
#include "ops/kept_tree.h"

namespace vram::ops {

/// Whole blocks and where they go, wiped when they go.
struct Replacement {
  Replacement(std::vector<std::uint64_t> block_indices, std::span<const std::byte> block_bytes);
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;
  ~Replacement();

  std::span<const std::byte> Block(std::size_t k) const noexcept;

  const std::vector<std::uint64_t> indices;
  std::vector<std::byte> bytes;
};

struct RepairReport {
  /// The memory is mapped read-only and views of it can be acquired.
  bool frozen;
  std::optional<Error> cause;
};

/// Writes nothing unless every block is the one that the tree has there, and the tree hashes up to `digest`.
RepairReport Repair(device::Context& context, device::Mapping& mapping, const KeptTree& tree, const Digest& digest,
                    const Replacement& replacement);

}  // namespace vram::ops
