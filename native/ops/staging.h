// Pageable host memory that file and model bytes pass through: a few slots, kept out of core dumps, wiped before it is given
// back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "device/context.h"
#include "driver/result.h"

namespace vram::ops {

inline constexpr std::uint64_t kSlotBytes = std::uint64_t{4} << 20;
inline constexpr std::size_t kMostSlots = 4;

class Staging {
 public:
  Staging() = default;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() { static_cast<void>(Release()); }

  /// Makes `slots` slots of `slot_bytes` each.
  Status Prepare(std::size_t slots, std::uint64_t slot_bytes);
  /// Device thread, as is the release then: page-locks the slots.
  Status Pin(device::Context& context);
  /// Wipes and unmaps. Idempotent. What the driver does not let go of stays mapped, empty; a further release tries again.
  Status Release();

  bool has_free() const noexcept { return !free_.empty(); }
  /// Takes a free slot; there must be one.
  std::size_t Take();
  void GiveBack(std::size_t slot) { free_.push_back(slot); }
  std::span<std::byte> Slot(std::size_t slot) const noexcept {
    return {memory_ + slot * slot_bytes_, slot_bytes_};
  }
  std::uint64_t slot_bytes() const noexcept { return slot_bytes_; }

 private:
  std::span<std::byte> memory() const noexcept { return {memory_, bytes_}; }

  device::Context* pinned_by_ = nullptr;
  std::byte* memory_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t slot_bytes_ = 0;
  std::size_t used_slots_ = 0;  // the first ones, that ever held anything
  std::vector<std::size_t> free_;
};

}  // namespace vram::ops
