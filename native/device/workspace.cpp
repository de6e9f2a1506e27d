#include "device/workspace.h"

#include "device/checked.h"

namespace vram::device {

std::uint64_t Workspace::parent_blocks() const noexcept {
  return CeilDivide(window_blocks_ / kTreeFan * kDigestBytes, kBlockBytes);
}

Result<std::unique_ptr<Workspace>> Workspace::Create(Context& context, std::uint64_t window_bytes) {
  if (window_bytes == 0 || window_bytes % kTreeBlockData != 0 || window_bytes / kBlockBytes > UINT32_MAX) {
    return InvalidInput("windowBytes must be a multiple of 524288 within 32 bits of blocks");
  }
  std::unique_ptr<Workspace> workspace(new Workspace(context, window_bytes / kBlockBytes));
  Result<std::shared_ptr<Mapping>> mapping = context.Allocate({workspace->sample_offset() + kSampleBytes});
  if (!mapping.ok()) return std::move(mapping).error();
  workspace->mapping_ = std::move(mapping).value();
  return workspace;
}

Workspace::~Workspace() {
  if (mapping_ == nullptr) return;
  // Digests of weights, not weights: zeroed, and freed whether or not that worked.
  const Status zeroed = context_.FillBytes(*mapping_, 0, mapping_->allocated_bytes(), 0);
  const Status synchronised = zeroed.ok() ? context_.Synchronize() : zeroed;
  if (!synchronised.ok() && !context_.lost()) context_.failures().Record(mapping_->buffer_id(), synchronised.error().code);
  mapping_->MarkWiped();
}

}  // namespace vram::device
