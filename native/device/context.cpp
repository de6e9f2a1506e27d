#include "device/context.h"

#include "device/checked.h"
#include "device/kernel_image.h"

namespace vram::device {
namespace {

constexpr const char* kKernelName = "vram_fsverity_blocks";

}  // namespace

Context::Context(std::shared_ptr<const driver::Library> library, std::shared_ptr<FailureList> failures)
    : library_(std::move(library)), failures_(std::move(failures)), caller_(library_->table()) {}

Status Context::Open(int ordinal) {
  ordinal_ = ordinal;
  const auto open = [this, ordinal]() -> Status {
    Status done = VRAM_CALL(caller_, Code::kCudaFailed, cuDeviceGet, &device_, ordinal);
    if (!done.ok()) return done;
    CUcontext context = nullptr;
    done = VRAM_CALL(caller_, Code::kCudaFailed, cuDevicePrimaryCtxRetain, &context, device_);
    if (!done.ok()) return done;
    retained_ = true;
    done = VRAM_CALL(caller_, Code::kCudaFailed, cuCtxSetCurrent, context);
    if (!done.ok()) return done;
    done = VRAM_CALL(caller_, Code::kCudaFailed, cuStreamCreate, &stream_, driver::kStreamNonBlocking);
    if (!done.ok()) return done;
    return LoadKernel();
  };
  Status opened = open();
  if (!opened.ok()) Close();
  return opened;
}

Status Context::LoadKernel() {
  Status done = VRAM_CALL(caller_, Code::kCudaFailed, cuModuleLoadDataEx, &module_, static_cast<const void*>(kKernelImage), 0U,
                          static_cast<int*>(nullptr), static_cast<void**>(nullptr));
  if (!done.ok()) return done;
  done = VRAM_CALL(caller_, Code::kCudaFailed, cuModuleGetFunction, &hash_blocks_, module_, kKernelName);
  if (!done.ok()) return done;
  CUmemAllocationProp properties = {};
  properties.type = driver::kDeviceNonMigrating;
  properties.location = {driver::kLocationDevice, ordinal_};
  std::size_t granularity = 0;
  done = VRAM_CALL(caller_, Code::kCudaFailed, cuMemGetAllocationGranularity, &granularity, &properties,
                   driver::kGranularityMinimum);
  if (!done.ok()) return done;
  if (granularity == 0 || granularity % kBlockBytes != 0) {
    return Error{Code::kCudaFailed, "The driver's allocation granularity is not a multiple of 4096 bytes"};
  }
  granularity_bytes_ = granularity;
  return Done{};
}

void Context::Close() noexcept {
  const auto note = [this](const Status& closed) {
    if (!closed.ok()) failures_->Record(std::nullopt, closed.error().code);
  };
  if (module_ != nullptr) note(VRAM_CALL(caller_, Code::kCudaFailed, cuModuleUnload, std::exchange(module_, nullptr)));
  if (stream_ != nullptr) note(VRAM_CALL(caller_, Code::kCudaFailed, cuStreamDestroy_v2, std::exchange(stream_, nullptr)));
  if (!std::exchange(retained_, false)) return;
  // The reference is given back even when the context is lost, so that nobody is handed the broken one for ever.
  const CUresult released = caller_.table().cuDevicePrimaryCtxRelease_v2(device_);
  if (released != driver::kSuccess && !caller_.lost()) {
    note(driver::CallFailed(caller_.table(), "cuDevicePrimaryCtxRelease_v2", released));
  }
}

Result<MemoryInfo> Context::Memory() {
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  Status done = VRAM_CALL(caller_, Code::kCudaFailed, cuMemGetInfo_v2, &free_bytes, &total_bytes);
  if (!done.ok()) return std::move(done).error();
  return MemoryInfo{free_bytes, total_bytes};
}

Result<std::shared_ptr<Mapping>> Context::Allocate(Extent extent) {
  return Mapping::Create(caller_, *failures_, ordinal_, extent, granularity_bytes_);
}

Result<CUdeviceptr> Context::AtImage(const Mapping& mapping, std::uint64_t offset, std::uint64_t length) const {
  if (!RangeFits(offset, length, mapping.byte_length())) return InvalidInput("offset and length must lie within the allocation");
  return At(mapping, mapping.lead_bytes() + offset, length);
}

Result<CUdeviceptr> Context::At(const Mapping& mapping, std::uint64_t offset, std::uint64_t length) const {
  if (!mapping.mapped_) return InvalidInput("The allocation has been released");
  if (!RangeFits(offset, length, mapping.allocated_bytes_)) return InvalidInput("offset and length must lie within the allocation");
  const std::optional<std::uint64_t> address = Add(mapping.address_, offset);
  if (!address) return InvalidInput("offset must stay within the address space");
  return CUdeviceptr{*address};
}

Status Context::CopyIn(Mapping& mapping, std::uint64_t offset, std::span<const std::byte> source) {
  Result<CUdeviceptr> to = AtImage(mapping, offset, source.size());
  if (!to.ok()) return std::move(to).error();
  if (source.empty()) return Done{};
  mapping.may_hold_data_ = true;
  mapping.wiped_ = false;
  return VRAM_CALL(caller_, Code::kCudaFailed, cuMemcpyHtoDAsync_v2, to.value(), static_cast<const void*>(source.data()),
                   source.size(), stream_);
}

Status Context::CopyOut(const Mapping& mapping, std::uint64_t offset, std::span<std::byte> destination) {
  Result<CUdeviceptr> from = AtImage(mapping, offset, destination.size());
  if (!from.ok()) return std::move(from).error();
  if (destination.empty()) return Done{};
  return VRAM_CALL(caller_, Code::kCudaFailed, cuMemcpyDtoHAsync_v2, static_cast<void*>(destination.data()), from.value(),
                   destination.size(), stream_);
}

Status Context::FillBytes(Mapping& mapping, std::uint64_t offset, std::uint64_t length, unsigned char value) {
  Result<CUdeviceptr> to = At(mapping, offset, length);
  if (!to.ok()) return std::move(to).error();
  if (length == 0) return Done{};
  return VRAM_CALL(caller_, Code::kCudaFailed, cuMemsetD8Async, to.value(), value, length, stream_);
}

Status Context::FillWords(Mapping& mapping, std::uint64_t offset, std::uint64_t word_count, std::uint32_t value) {
  const std::optional<std::uint64_t> length = Multiply(word_count, sizeof(value));
  if (!length || offset % sizeof(value) != 0) return InvalidInput("wordCount and offset must name aligned 4-byte words");
  Result<CUdeviceptr> to = At(mapping, offset, *length);
  if (!to.ok()) return std::move(to).error();
  if (word_count == 0) return Done{};
  return VRAM_CALL(caller_, Code::kCudaFailed, cuMemsetD32Async, to.value(), value, word_count, stream_);
}

Status Context::HashBlocks(const Mapping& from, std::uint64_t from_offset, Mapping& to, std::uint64_t to_offset,
                           std::uint64_t block_count) {
  constexpr unsigned kThreads = 128;
  if (block_count == 0 || block_count > UINT32_MAX) return InvalidInput("blockCount must be 1 to 4294967295");
  if (from_offset % kLeadAlignment != 0 || to_offset % kDigestBytes != 0) return InvalidInput("offset must be aligned");
  Result<CUdeviceptr> blocks = At(from, from_offset, block_count * kBlockBytes);
  if (!blocks.ok()) return std::move(blocks).error();
  Result<CUdeviceptr> digests = At(to, to_offset, block_count * kDigestBytes);
  if (!digests.ok()) return std::move(digests).error();
  auto count = static_cast<std::uint32_t>(block_count);
  void* parameters[] = {&blocks.value(), &digests.value(), &count};
  const auto grid = static_cast<unsigned>(CeilDivide(block_count, kThreads));
  return VRAM_CALL(caller_, Code::kCudaFailed, cuLaunchKernel, hash_blocks_, grid, 1U, 1U, kThreads, 1U, 1U, 0U, stream_,
                   static_cast<void**>(parameters), static_cast<void**>(nullptr));
}

Status Context::PinHostMemory(std::span<std::byte> memory) {
  return VRAM_CALL(caller_, Code::kCudaFailed, cuMemHostRegister_v2, static_cast<void*>(memory.data()), memory.size(), 0U);
}

Status Context::UnpinHostMemory(std::span<std::byte> memory) {
  Status unpinned = VRAM_CALL(caller_, Code::kCudaFailed, cuMemHostUnregister, static_cast<void*>(memory.data()));
  // A lost context takes its page locks with it.
  return caller_.lost() ? Status(Done{}) : std::move(unpinned);
}

Status Context::Synchronize() { return VRAM_CALL(caller_, Code::kCudaFailed, cuStreamSynchronize, stream_); }

}  // namespace vram::device
