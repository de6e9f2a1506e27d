#include "ops/staging.h"

#include <string.h>
#include <sys/mman.h>

#include <algorithm>

namespace vram::ops {

Status Staging::Prepare(std::size_t slots, std::uint64_t slot_bytes) {
  slot_bytes_ = slot_bytes;
  bytes_ = slots * slot_bytes_;
  void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return Error{Code::kCudaFailed, "No host memory for staging"};
  madvise(memory, bytes_, MADV_DONTDUMP);
  memory_ = static_cast<std::byte*>(memory);
  for (std::size_t slot = slots; slot > 0; --slot) free_.push_back(slot - 1);
  return Done{};
}

std::size_t Staging::Take() {
  const std::size_t slot = free_.back();
  free_.pop_back();
  used_slots_ = std::max(used_slots_, slot + 1);
  return slot;
}

Status Staging::Pin(device::Context& context) {
  Status pinned = context.PinHostMemory(memory());
  if (pinned.ok()) pinned_by_ = &context;
  return pinned;
}

Status Staging::Release() {
  if (memory_ == nullptr) return Done{};
  explicit_bzero(memory_, used_slots_ * slot_bytes_);
  if (pinned_by_ != nullptr) {
    Status unpinned = pinned_by_->UnpinHostMemory(memory());
    if (!unpinned.ok()) return unpinned;
    pinned_by_ = nullptr;
  }
  munmap(memory_, bytes_);
  memory_ = nullptr;
  free_.clear();
  return Done{};
}

}  // namespace vram::ops
