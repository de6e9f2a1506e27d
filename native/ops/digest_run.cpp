#include "ops/digest_run.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "device/checked.h"
#include "ops/fsverity.h"
#include "ops/bytes.h"

namespace vram::ops {

using device::kBlockBytes;
using device::kDigestBytes;
using device::kTreeFan;

struct DigestRun::Window {
  /// Fresh random words that digests are made of until they are written.
  struct Poison {
    std::uint32_t leaves;   // on the device, before the kernel
    std::uint32_t parents;  // on the device, before the kernel
    std::uint32_t host;     // in the host's buffers, before the copy back
  };

  std::uint64_t blocks;
  std::uint64_t tree_blocks;
  std::uint64_t first_read;  // of the tree blocks whose leaves are read back
  Poison poison;
  std::span<std::byte> parents;
  std::span<std::byte> leaves;
};

namespace {

constexpr std::uint64_t kWordBytes = sizeof(std::uint32_t);

/// Appends digests made of `word`, and answers where they lie.
std::span<std::byte> Append(std::vector<std::byte>& digests, std::uint64_t count, std::uint32_t word) {
  std::array<std::uint32_t, kBlockBytes / kWordBytes> words;
  words.fill(word);
  const std::span<const std::byte> pattern = std::as_bytes(std::span(words));
  const std::size_t begin = digests.size();
  const std::size_t end = begin + count * kDigestBytes;
  while (digests.size() < end) {
    const auto piece = pattern.first(std::min(pattern.size(), end - digests.size()));
    digests.insert(digests.end(), piece.begin(), piece.end());
  }
  return std::span(digests).subspan(begin);
}

/// Neither side is secret, and nearly every digest differs in its first word.
bool IsMadeOf(std::uint32_t word, std::span<const std::byte> digest) {
  for (std::size_t i = 0; i < kDigestBytes; i += kWordBytes) {
    if (std::memcmp(digest.data() + i, &word, kWordBytes) != 0) return false;
  }
  return true;
}

Error NothingWritten(const char* entry_point) {
  return {Code::kCudaFailed, std::string(entry_point) + " answered success and did not write the digests"};
}

}  // namespace

DigestRun::DigestRun(device::Context& context, device::Workspace& workspace, const device::Mapping& mapping,
                     std::uint64_t offset, std::uint64_t byte_length, Leaves leaves)
    : context_(context),
      workspace_(workspace),
      mapping_(mapping),
      offset_(offset),
      byte_length_(byte_length),
      leaf_count_(LeafCount(byte_length)),
      wanted_(leaves) {
  parents_.reserve(ParentCount(byte_length) * kDigestBytes);
  // Room for the padding of a kept tree, which then takes the buffer as it is.
  if (wanted_ == Leaves::kAll) leaves_.reserve(device::CeilDivide(leaf_count_, kTreeFan) * kBlockBytes);
}

std::uint64_t DigestRun::done_bytes() const noexcept { return std::min(done_blocks_ * kBlockBytes, byte_length_); }

Status DigestRun::Step() {
  Window window = {};
  window.blocks = std::min(workspace_.window_blocks(), leaf_count_ - done_blocks_);
  if (window.blocks == 0) return InvalidInput("byteLength must be at least 1");
  window.tree_blocks = device::CeilDivide(window.blocks, kTreeFan);
  window.first_read = wanted_ == Leaves::kAll ? 0 : window.tree_blocks - 1;
  Status done = Launch(window);
  if (done.ok()) done = ReadBack(window);
  // Also after a failure: the copies in flight name this window's buffers.
  Status synchronised = context_.Synchronize();
  if (!done.ok()) return done;
  if (!synchronised.ok()) return synchronised;
  if (Status checked = Check(window); !checked.ok()) return checked;
  if (leaf_count_ == 1) parents_ = leaves_;
  done_blocks_ += window.blocks;
  return Done{};
}

Status DigestRun::Launch(Window& window) {
  device::Mapping& area = workspace_.mapping();
  const std::uint64_t leaves_at = workspace_.leaves_offset();
  const std::uint64_t parents_at = workspace_.parents_offset();
  const std::uint64_t tree_bytes = window.tree_blocks * kBlockBytes;
  const std::uint64_t leaf_bytes = window.blocks * kDigestBytes;
  const std::uint64_t parent_bytes = window.tree_blocks * kDigestBytes;

  Status done = FillRandom(std::as_writable_bytes(std::span(&window.poison, 1)));
  if (!done.ok()) return done;
  done = context_.FillWords(area, leaves_at, leaf_bytes / kWordBytes, window.poison.leaves);
  if (!done.ok()) return done;
  done = context_.FillBytes(area, leaves_at + leaf_bytes, tree_bytes - leaf_bytes, 0);
  if (!done.ok()) return done;
  done = context_.HashBlocks(mapping_, offset_ + done_blocks_ * kBlockBytes, area, leaves_at, window.blocks);
  if (!done.ok()) return done;

  done = context_.FillWords(area, parents_at, parent_bytes / kWordBytes, window.poison.parents);
  if (!done.ok()) return done;
  return context_.HashBlocks(area, leaves_at, area, parents_at, window.tree_blocks);
}

Status DigestRun::ReadBack(Window& window) {
  if (wanted_ == Leaves::kToCheck) leaves_.clear();
  window.parents = Append(parents_, window.tree_blocks, window.poison.host);
  window.leaves = Append(leaves_, window.blocks - window.first_read * kTreeFan, window.poison.host);
  Status done = context_.CopyOut(workspace_.mapping(), workspace_.parents_offset(), window.parents);
  if (!done.ok()) return done;
  const std::uint64_t first_leaf = window.first_read * kBlockBytes;
  return context_.CopyOut(workspace_.mapping(), workspace_.leaves_offset() + first_leaf, window.leaves);
}

Status DigestRun::Check(const Window& window) const {
  const auto check = [host = window.poison.host](std::span<const std::byte> digests, std::uint32_t device) -> Status {
    for (std::size_t i = 0; i < digests.size(); i += kDigestBytes) {
      const std::span<const std::byte> digest = digests.subspan(i, kDigestBytes);
      if (IsMadeOf(host, digest)) return NothingWritten("cuMemcpyDtoHAsync_v2");
      if (IsMadeOf(device, digest)) return NothingWritten("cuLaunchKernel");
    }
    return Done{};
  };
  if (Status written = check(window.leaves, window.poison.leaves); !written.ok()) return written;
  if (Status written = check(window.parents, window.poison.parents); !written.ok()) return written;
  if (!ConstantTimeEqual(LevelAbove(window.leaves), window.parents.subspan(window.first_read * kDigestBytes))) {
    return Error{Code::kIntegrityViolation, "The device's tree digests do not hash up to their parent"};
  }
  return Done{};
}

Digest DigestRun::Finish() const { return FileDigest(parents_, byte_length_); }

}  // namespace vram::ops
