#include "ops/digest_run.h"

#include <algorithm>
#include <cstring>

#include "device/checked.h"
#include "ops/fsverity.h"
#include "ops/bytes.h"

namespace vram::ops {

using device::kBlockBytes;
using device::kDigestBytes;
using device::kTreeFan;

/// Host buffers of one window. They live until the stream is synchronised.
struct DigestRun::Window {
  std::uint64_t blocks;
  std::uint64_t tree_blocks;
  std::uint64_t last_leaves;  // leaves under the last tree block
  std::uint32_t leaf_poison;
  std::vector<std::byte> parent_poison;  // what the device holds before the kernel writes
  std::vector<std::byte> host_poison;    // what the host buffers hold before the copy back
  std::vector<std::byte> parents;
  std::vector<std::byte> leaves;
};

namespace {

std::span<const std::byte> At(const std::vector<std::byte>& digests, std::uint64_t index) {
  return std::span(digests).subspan(index * kDigestBytes, kDigestBytes);
}

Digest Repeat(std::uint32_t word) {
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); i += sizeof word) std::memcpy(digest.data() + i, &word, sizeof word);
  return digest;
}

Error NothingWritten(const char* entry_point) {
  return {Code::kCudaFailed, std::string(entry_point) + " answered success and did not write the digests"};
}

}  // namespace

DigestRun::DigestRun(device::Context& context, device::Workspace& workspace, const device::Mapping& mapping,
                     std::uint64_t offset, std::uint64_t byte_length)
    : context_(context),
      workspace_(workspace),
      mapping_(mapping),
      offset_(offset),
      byte_length_(byte_length),
      leaf_count_(LeafCount(byte_length)) {
  parents_.reserve(ParentCount(byte_length) * kDigestBytes);
}

std::uint64_t DigestRun::done_bytes() const noexcept { return std::min(done_blocks_ * kBlockBytes, byte_length_); }

Status DigestRun::Step() {
  Window window = {};
  window.blocks = std::min(workspace_.window_blocks(), leaf_count_ - done_blocks_);
  if (window.blocks == 0) return InvalidInput("byteLength must be at least 1");
  window.tree_blocks = device::CeilDivide(window.blocks, kTreeFan);
  window.last_leaves = window.blocks - (window.tree_blocks - 1) * kTreeFan;
  Status done = Launch(window);
  if (done.ok()) done = ReadBack(window);
  // Also after a failure: the copies in flight name this window's buffers.
  Status synchronised = context_.Synchronize();
  if (!done.ok()) return done;
  if (!synchronised.ok()) return synchronised;
  if (Status checked = Check(window); !checked.ok()) return checked;
  const bool single_leaf = leaf_count_ == 1;
  const std::vector<std::byte>& level = single_leaf ? window.leaves : window.parents;
  parents_.insert(parents_.end(), level.begin(), level.end());
  done_blocks_ += window.blocks;
  return Done{};
}

Status DigestRun::Launch(Window& window) {
  device::Mapping& area = workspace_.mapping();
  const std::uint64_t leaves_at = workspace_.leaves_offset();
  const std::uint64_t parents_at = workspace_.parents_offset();
  const std::uint64_t tree_bytes = window.tree_blocks * kBlockBytes;
  const std::uint64_t leaf_bytes = window.blocks * kDigestBytes;

  Status done = FillRandom(std::as_writable_bytes(std::span(&window.leaf_poison, 1)));
  if (!done.ok()) return done;
  done = context_.FillWords(area, leaves_at, leaf_bytes / sizeof window.leaf_poison, window.leaf_poison);
  if (!done.ok()) return done;
  done = context_.FillBytes(area, leaves_at + leaf_bytes, tree_bytes - leaf_bytes, 0);
  if (!done.ok()) return done;
  done = context_.HashBlocks(mapping_, offset_ + done_blocks_ * kBlockBytes, area, leaves_at, window.blocks);
  if (!done.ok()) return done;

  window.parent_poison.resize(window.tree_blocks * kDigestBytes);
  done = FillRandom(window.parent_poison);
  if (!done.ok()) return done;
  done = context_.CopyIn(area, parents_at, window.parent_poison);
  if (!done.ok()) return done;
  return context_.HashBlocks(area, leaves_at, area, parents_at, window.tree_blocks);
}

Status DigestRun::ReadBack(Window& window) {
  window.parents.resize(window.parent_poison.size());
  window.leaves.resize(window.last_leaves * kDigestBytes);
  window.host_poison.resize(std::max(window.parents.size(), window.leaves.size()));
  Status done = FillRandom(window.host_poison);
  if (!done.ok()) return done;
  std::copy_n(window.host_poison.begin(), window.parents.size(), window.parents.begin());
  std::copy_n(window.host_poison.begin(), window.leaves.size(), window.leaves.begin());
  done = context_.CopyOut(workspace_.mapping(), workspace_.parents_offset(), window.parents);
  if (!done.ok()) return done;
  const std::uint64_t last_tree_block = (window.tree_blocks - 1) * kBlockBytes;
  return context_.CopyOut(workspace_.mapping(), workspace_.leaves_offset() + last_tree_block, window.leaves);
}

Status DigestRun::Check(const Window& window) const {
  const Digest leaf_poison = Repeat(window.leaf_poison);
  for (std::uint64_t i = 0; i < window.last_leaves; ++i) {
    if (ConstantTimeEqual(At(window.leaves, i), At(window.host_poison, i))) return NothingWritten("cuMemcpyDtoHAsync_v2");
    if (ConstantTimeEqual(At(window.leaves, i), leaf_poison)) return NothingWritten("cuLaunchKernel");
  }
  for (std::uint64_t i = 0; i < window.tree_blocks; ++i) {
    if (ConstantTimeEqual(At(window.parents, i), At(window.host_poison, i))) return NothingWritten("cuMemcpyDtoHAsync_v2");
    if (ConstantTimeEqual(At(window.parents, i), At(window.parent_poison, i))) return NothingWritten("cuLaunchKernel");
  }
  std::vector<std::byte> last_tree_block(kBlockBytes);
  std::copy(window.leaves.begin(), window.leaves.end(), last_tree_block.begin());
  if (!ConstantTimeEqual(Sha256Of(last_tree_block), At(window.parents, window.tree_blocks - 1))) {
    return Error{Code::kIntegrityViolation, "The device's tree digests do not hash up to their parent"};
  }
  return Done{};
}

Digest DigestRun::Finish() { return FileDigest(std::move(parents_), byte_length_); }

}  // namespace vram::ops
