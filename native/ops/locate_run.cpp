#include "ops/locate_run.h"

#include <string.h>

#include <algorithm>
#include <array>

#include "ops/block_run.h"
#include "ops/bytes.h"
#include "ops/fsverity.h"
#include "ops/single_bit.h"

namespace vram::ops {

using device::kBlockBytes;
using device::kDigestBytes;
using device::kTreeFan;

namespace {

constexpr std::size_t kMostExamined = 16;

bool Same(std::span<const std::byte> a, std::span<const std::byte> b, std::uint64_t index) {
  return std::ranges::equal(a.subspan(index * kDigestBytes, kDigestBytes), b.subspan(index * kDigestBytes, kDigestBytes));
}

/// A block of weights on the host, wiped when it goes.
struct HostBlock {
  std::array<std::byte, kBlockBytes> bytes = {};
  HostBlock() = default;
  HostBlock(const HostBlock&) = delete;
  HostBlock& operator=(const HostBlock&) = delete;
  ~HostBlock() { explicit_bzero(bytes.data(), bytes.size()); }
};

}  // namespace

LocateRun::LocateRun(device::Context& context, device::Workspace& workspace, const device::Mapping& mapping,
                     std::shared_ptr<const KeptTree> tree, const Digest& digest, std::uint64_t limit)
    : context_(context),
      workspace_(workspace),
      mapping_(mapping),
      tree_(std::move(tree)),
      digest_(digest),
      limit_(limit),
      pass_(context, workspace, mapping, mapping.lead_bytes(), mapping.byte_length()) {}

Status LocateRun::Step() {
  if (!pass_.finished()) return Pass();
  return next_suspect_ < suspects_.size() ? CompareLeaves() : Examine();
}

Status LocateRun::Pass() {
  if (pass_.done_bytes() == 0 && !tree_->ParentsAreOf(digest_)) return TreeViolation();
  if (Status step = pass_.Step(); !step.ok()) return step;
  if (!pass_.finished()) return Done{};
  CompareParents();
  damage_.digest = pass_.Finish();
  return Done{};
}

void LocateRun::CompareParents() {
  for (std::uint64_t i = 0; i < ParentCount(mapping_.byte_length()); ++i) {
    if (!Same(pass_.parents(), tree_->Parents(), i)) suspects_.push_back(i);
  }
}

Status LocateRun::CompareLeaves() {
  const std::uint64_t first = suspects_[next_suspect_];
  const std::size_t most = std::min(suspects_.size() - next_suspect_, workspace_.window_blocks() / kTreeFan);
  std::uint64_t tree_blocks = 1;
  while (tree_blocks < most && suspects_[next_suspect_ + tree_blocks] == first + tree_blocks) ++tree_blocks;
  if (!tree_->LeavesAreOfParents(first, tree_blocks)) return TreeViolation();

  const std::uint64_t first_leaf = first * kTreeFan;
  const std::uint64_t count = std::min(tree_blocks * kTreeFan, LeafCount(mapping_.byte_length()) - first_leaf);
  DigestRun run = RunOf(context_, workspace_, mapping_, {first_leaf, count});
  if (Status step = run.Step(); !step.ok()) return step;
  const std::vector<std::byte> leaves = run.TakeLeaves();
  const std::uint64_t before = damage_.block_count;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::span<const std::byte> leaf = std::span(leaves).subspan(i * kDigestBytes, kDigestBytes);
    if (!std::ranges::equal(leaf, tree_->Leaf(first_leaf + i))) Add(first_leaf + i, leaf);
  }
  if (damage_.block_count == before) {
    return Error{Code::kIntegrityViolation, "The memory changed while damage was located"};
  }
  next_suspect_ += tree_blocks;
  return Done{};
}

void LocateRun::Add(std::uint64_t index, std::span<const std::byte> leaf) {
  ++damage_.block_count;
  if (damage_.blocks.size() == limit_) return;
  damage_.blocks.push_back({index, std::nullopt});
  if (leaves_.size() == kMostExamined) return;
  std::ranges::copy(leaf, leaves_.emplace_back().begin());
}

Status LocateRun::Examine() {
  DamagedBlock& block = damage_.blocks[next_examined_];
  const Digest& now = leaves_[next_examined_];
  const std::uint64_t offset = block.index * kBlockBytes;
  const std::uint64_t length = std::min(kBlockBytes, mapping_.byte_length() - offset);
  HostBlock host;
  Status copied = context_.CopyOut(mapping_, offset, std::span(host.bytes).first(length));
  Status synchronised = context_.Synchronize();
  if (!copied.ok()) return copied;
  if (!synchronised.ok()) return synchronised;
  const Digest copy = Sha256Of(host.bytes);
  const std::span<const std::byte> kept = tree_->Leaf(block.index);
  if (copy == now) {
    block.single_bit = OneFlipGives(host.bytes, kept);
  } else if (length == kBlockBytes) {
    return Error{Code::kCudaFailed, "A damaged block was copied back as something else than was hashed"};
  } else if (std::ranges::equal(copy, kept)) {
    // The image's own bytes are as they were: the damage lies in the zeros that fill its last block.
    block.single_bit = OneFlipGives(host.bytes, now);
  }
  ++next_examined_;
  return Done{};
}

}  // namespace vram::ops
