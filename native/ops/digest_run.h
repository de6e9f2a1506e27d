// The fs-verity digest of device memory as it is now, computed by the device in windows.
#pragma once

#include <cstdint>
#include <vector>

#include "device/context.h"
#include "device/workspace.h"
#include "ops/sha256.h"

namespace vram::ops {

/// Which leaf digests a run brings back to the host: those under the last tree block of a window, to check it by, or all.
enum class Leaves { kToCheck, kAll };

class DigestRun {
 public:
  /// Digests `byte_length` bytes at `offset` of a mapping. The rest of the last block must be zero.
  DigestRun(device::Context& context, device::Workspace& workspace, const device::Mapping& mapping, std::uint64_t offset,
            std::uint64_t byte_length, Leaves leaves = Leaves::kToCheck);

  /// Hashes the next window; synchronised when it returns, so that others may use the workspace in between.
  Status Step();
  bool finished() const noexcept { return done_blocks_ == leaf_count_; }
  std::uint64_t done_bytes() const noexcept;
  std::uint64_t byte_length() const noexcept { return byte_length_; }
  /// The level above the leaves, as far as the run has come; the leaf itself where there is only one. Of a run without failure.
  const std::vector<std::byte>& parents() const noexcept { return parents_; }
  /// Of a finished run of Leaves::kAll, once.
  std::vector<std::byte> TakeLeaves() { return std::move(leaves_); }
  /// Of a finished run.
  Digest Finish() const;

 private:
  struct Window;
  Status Launch(Window& window);
  Status ReadBack(Window& window);
  Status Check(const Window& window) const;

  device::Context& context_;
  device::Workspace& workspace_;
  const device::Mapping& mapping_;
  const std::uint64_t offset_;
  const std::uint64_t byte_length_;
  const std::uint64_t leaf_count_;
  const Leaves wanted_;
  std::uint64_t done_blocks_ = 0;
  std::vector<std::byte> parents_;
  std::vector<std::byte> leaves_;  // all so far, or those read back of the last window
};

}  // namespace vram::ops
