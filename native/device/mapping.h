// Owner of one range of device memory, made through the virtual-memory API only: physical memory that never migrates,
// without an exportable handle, mapped at a reserved range.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "device/caller.h"
#include "device/failure_list.h"
#include "device/use_gate.h"
#include "hash/path.h"

namespace vram::device {

/// How an image lies in its mapping: `lead_bytes` after the start, so that what it holds is aligned.
struct Extent {
  std::uint64_t byte_length;
  std::uint64_t lead_bytes = 0;
};

/// `lead_bytes` are multiples of this: the kernel reads 16 bytes at a time.
inline constexpr std::uint64_t kLeadAlignment = 16;
inline constexpr std::uint64_t kBlockBytes = hash::kBlockBytes;

/// Bytes that an image takes on the device, with the blocks that its digest reads; nothing for an extent that cannot be.
std::optional<std::uint64_t> AllocatedBytes(Extent extent, std::uint64_t granularity_bytes) noexcept;

class Mapping {
 public:
  /// Undoes every step already taken when a later one fails.
  static Result<std::shared_ptr<Mapping>> Create(Caller& caller, FailureList& failures, int ordinal, Extent extent,
                                                 std::uint64_t granularity_bytes);

  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  /// Frees what holds no data. Memory that may hold data and was not wiped stays mapped, and that is recorded.
  ~Mapping();

  /// Of the image, which begins `lead_bytes()` after the mapping.
  std::uint64_t byte_length() const noexcept { return extent_.byte_length; }
  std::uint64_t lead_bytes() const noexcept { return extent_.lead_bytes; }
  std::uint64_t allocated_bytes() const noexcept { return allocated_bytes_; }
  std::optional<std::uint64_t> buffer_id() const noexcept { return buffer_id_; }
  bool mapped() const noexcept { return mapped_; }
  /// True while something of the allocation is left to give back.
  bool held() const noexcept { return has_memory() || reserved_; }
  /// True until the physical memory is the driver's again.
  bool has_memory() const noexcept { return has_handle_ || mapped_; }
  bool wiped() const noexcept { return wiped_; }

  /// True while native code holds a tensor of it.
  bool in_use() const { return gate_->in_use(); }
  /// Waits until nobody uses it, and lets nobody in; false if somebody still does after `patience`.
  bool CloseViews(std::chrono::milliseconds patience) { return gate_->Close(patience); }

  /// Maps the whole range read-only; its views can be acquired then.
  Status Freeze();
  /// Maps it writable again; refused while native code holds a tensor of it. No view can be acquired until it is frozen again.
  Status Thaw();
  /// States that a checked wipe has left nothing but zeros.
  void MarkWiped() noexcept {
    may_hold_data_ = false;
    wiped_ = true;
  }
  /// Unmaps and frees what nobody uses; call again after a failure to go on where it stopped. A lost context leaves nothing
  /// to free.
  Status Free();
  /// Gives up what could not be given back: it stays with the driver until the process ends.
  void Abandon() noexcept { has_handle_ = reserved_ = mapped_ = false; }

 private:
  friend class Context;
  Mapping(Caller& caller, FailureList& failures, int ordinal, Extent extent, std::uint64_t allocated_bytes);

  Status CreatePhysical();
  Status Map();
  Status ReleaseHandle();
  Status SetAccess(int access);
  Status CloseGate();
  Error Shortage(Error error) const;

  Caller& caller_;
  FailureList& failures_;
  const int ordinal_;
  const Extent extent_;
  const std::uint64_t allocated_bytes_;
  const std::shared_ptr<UseGate> gate_ = std::make_shared<UseGate>();
  std::optional<std::uint64_t> buffer_id_;
  CUmemGenericAllocationHandle handle_ = 0;
  CUdeviceptr address_ = 0;
  bool has_handle_ = false;
  bool reserved_ = false;
  bool mapped_ = false;
  bool may_hold_data_ = false;
  bool wiped_ = false;
};

}  // namespace vram::device
