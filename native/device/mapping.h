// Owner of one range of device memory, made through the virtual-memory API only: physical memory that never migrates,
// without an exportable handle, mapped at a reserved range.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "device/caller.h"
#include "device/failure_list.h"

namespace vram::device {

enum class Access { kRead, kReadWrite };

class Mapping {
 public:
  /// Undoes every step already taken when a later one fails.
  static Result<std::shared_ptr<Mapping>> Create(Caller& caller, FailureList& failures, int ordinal,
                                                 std::uint64_t byte_length, std::uint64_t granularity_bytes);

  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  /// Frees what holds no data. Memory that may hold data and was not wiped stays mapped, and that is recorded.
  ~Mapping();

  std::uint64_t byte_length() const noexcept { return byte_length_; }
  std::uint64_t allocated_bytes() const noexcept { return allocated_bytes_; }
  std::optional<std::uint64_t> buffer_id() const noexcept { return buffer_id_; }
  bool mapped() const noexcept { return mapped_; }
  /// True while something of the allocation is left to give back.
  bool held() const noexcept { return has_handle_ || reserved_ || mapped_; }
  bool wiped() const noexcept { return wiped_; }

  /// Sets the access of the whole mapping.
  Status SetAccess(Access access);
  /// States that a checked wipe has left nothing but zeros.
  void MarkWiped() noexcept {
    may_hold_data_ = false;
    wiped_ = true;
  }
  /// Unmaps and frees; call again after a failure to go on where it stopped. A lost context leaves nothing to free.
  Status Free();
  /// Gives up what could not be given back: it stays with the driver until the process ends.
  void Abandon() noexcept { has_handle_ = reserved_ = mapped_ = false; }

 private:
  friend class Context;
  Mapping(Caller& caller, FailureList& failures, int ordinal, std::uint64_t byte_length, std::uint64_t allocated_bytes);

  Status CreatePhysical();
  Status Map();
  Status ReleaseHandle();
  Error Shortage(Error error) const;

  Caller& caller_;
  FailureList& failures_;
  const int ordinal_;
  const std::uint64_t byte_length_;
  const std::uint64_t allocated_bytes_;
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
