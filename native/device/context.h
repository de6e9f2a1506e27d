// One device's primary context, stream and digest kernel. All calls come from one thread. No address leaves this
// folder: others name memory by a mapping and a range, and every range is checked before the driver sees it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "device/caller.h"
#include "device/failure_list.h"
#include "device/mapping.h"
#include "device/view.h"
#include "driver/library.h"

namespace vram::device {

inline constexpr std::uint64_t kDigestBytes = hash::kDigestBytes;

struct MemoryInfo {
  std::uint64_t free_bytes;
  std::uint64_t total_bytes;
};

class Context {
 public:
  Context(std::shared_ptr<const driver::Library> library, std::shared_ptr<FailureList> failures);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { Close(); }

  /// Retains the primary context, makes the stream and loads the kernel; undoes all of it on failure.
  Status Open(int ordinal);
  /// Idempotent. What the driver refuses is recorded.
  void Close() noexcept;

  int ordinal() const noexcept { return ordinal_; }
  std::uint64_t granularity_bytes() const noexcept { return granularity_bytes_; }
  bool lost() const noexcept { return caller_.lost(); }
  FailureList& failures() const noexcept { return *failures_; }

  Result<MemoryInfo> Memory();
  Result<std::shared_ptr<Mapping>> Allocate(Extent extent);

  /// A view of a range of the image. Any thread, while nobody frees the mapping.
  Result<std::unique_ptr<View>> ViewOf(const Mapping& mapping, std::uint64_t offset, std::uint64_t byte_length,
                                       TensorType type) const;

  /// Copies within the image of a mapping; asynchronous, the bytes must stay until Synchronize().
  Status CopyIn(Mapping& mapping, std::uint64_t offset, std::span<const std::byte> source);
  Status CopyOut(const Mapping& mapping, std::uint64_t offset, std::span<std::byte> destination);
  /// Fills within the whole mapping.
  Status FillBytes(Mapping& mapping, std::uint64_t offset, std::uint64_t length, unsigned char value);
  Status FillWords(Mapping& mapping, std::uint64_t offset, std::uint64_t word_count, std::uint32_t value);
  /// Hashes `block_count` blocks at `from` into as many digests at `to`; offsets from the start of each mapping.
  Status HashBlocks(const Mapping& from, std::uint64_t from_offset, Mapping& to, std::uint64_t to_offset,
                    std::uint64_t block_count);
  Status Synchronize();

  /// Page-locks host memory, whole pages, until it is unpinned. Only what a load passes through may be pinned.
  Status PinHostMemory(std::span<std::byte> memory);
  Status UnpinHostMemory(std::span<std::byte> memory);

  // Facts about a mapping; none of them tells where it lies.
  Result<std::uint64_t> ReadAttribute(const Mapping& mapping, driver::PointerAttribute attribute);
  Result<bool> ReadFlag(const Mapping& mapping, driver::PointerAttribute attribute);
  /// True when the attribute is a non-null pointer.
  Result<bool> HasPointer(const Mapping& mapping, driver::PointerAttribute attribute);
  Result<bool> RangeCoversAllocation(const Mapping& mapping);
  Result<std::uint64_t> AccessFrom(const Mapping& mapping, int ordinal);
  Result<int> DeviceCount();

 private:
  Status LoadKernel();
  Result<CUdeviceptr> At(const Mapping& mapping, std::uint64_t offset, std::uint64_t length) const;
  Result<CUdeviceptr> AtImage(const Mapping& mapping, std::uint64_t offset, std::uint64_t length) const;
  template <class T>
  Result<T> Read(const Mapping& mapping, driver::PointerAttribute attribute, T poison);

  std::shared_ptr<const driver::Library> library_;
  std::shared_ptr<FailureList> failures_;
  Caller caller_;
  int ordinal_ = 0;
  CUdevice device_ = 0;
  bool retained_ = false;
  CUstream stream_ = nullptr;
  CUmodule module_ = nullptr;
  CUfunction hash_blocks_ = nullptr;
  std::uint64_t granularity_bytes_ = 0;
};

}  // namespace vram::device
