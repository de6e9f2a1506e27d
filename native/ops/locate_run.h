// Finds the blocks of device memory that differ from those of a kept tree.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "ops/digest_run.h"
#include "ops/kept_tree.h"

namespace vram::ops {

struct DamagedBlock {
  std::uint64_t index;
  /// Whether one flipped bit is all the damage; empty where that is not known.
  std::optional<bool> single_bit;
};

struct Damage {
  /// Of all that lies in device memory.
  Digest digest;
  std::uint64_t block_count = 0;
  /// The first of them.
  std::vector<DamagedBlock> blocks;
};

class LocateRun {
 public:
  /// Tells at most `limit` blocks. What is used of the tree must hash up to `digest`.
  LocateRun(device::Context& context, device::Workspace& workspace, const device::Mapping& mapping,
            std::shared_ptr<const KeptTree> tree, const Digest& digest, std::uint64_t limit);

  /// One piece of the work, synchronised when it returns.
  Status Step();
  bool finished() const noexcept { return pass_.finished() && next_suspect_ == suspects_.size() && next_examined_ == leaves_.size(); }
  std::uint64_t done_bytes() const noexcept { return pass_.done_bytes(); }
  const Damage& damage() const noexcept { return damage_; }

 private:
  Status Pass();
  void CompareParents();
  Status CompareLeaves();
  Status Examine();
  void Add(std::uint64_t index, std::span<const std::byte> leaf);

  device::Context& context_;
  device::Workspace& workspace_;
  const device::Mapping& mapping_;
  const std::shared_ptr<const KeptTree> tree_;
  const Digest digest_;
  const std::uint64_t limit_;
  DigestRun pass_;
  std::vector<std::uint64_t> suspects_;  // tree blocks
  std::size_t next_suspect_ = 0;
  std::vector<Digest> leaves_;  // of the blocks to examine, as they are now
  std::size_t next_examined_ = 0;
  Damage damage_ = {};
};

}  // namespace vram::ops
