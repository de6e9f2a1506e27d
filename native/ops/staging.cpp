#include "ops/staging.h"

#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "device/checked.h"
#include "device/context.h"

namespace vram::ops {

Status Staging::Prepare(std::uint64_t byte_length, std::uint64_t slot_bytes) {
  const std::uint64_t padded = device::CeilDivide(byte_length, device::kBlockBytes) * device::kBlockBytes;
  const std::size_t slots = std::min<std::uint64_t>(kMostSlots, device::CeilDivide(padded, slot_bytes));
  slot_bytes_ = std::min(slot_bytes, padded);
  bytes_ = slots * slot_bytes_;
  void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return Error{Code::kCudaFailed, "No host memory for staging a load"};
  madvise(memory, bytes_, MADV_DONTDUMP);
  memory_ = static_cast<std::byte*>(memory);
  for (std::size_t slot = slots; slot > 0; --slot) free_.push_back(slot - 1);
  return Done{};
}

std::size_t Staging::Take() {
  const std::size_t slot = free_.back();
  free_.pop_back();
  return slot;
}

void Staging::Release() noexcept {
  if (memory_ == nullptr) return;
  explicit_bzero(memory_, bytes_);
  munmap(std::exchange(memory_, nullptr), bytes_);
  free_.clear();
}

}  // namespace vram::ops
