#include "device/mapping.h"

#include "device/checked.h"

namespace vram::device {

using driver::kLocationDevice;

std::optional<std::uint64_t> AllocatedBytes(Extent extent, std::uint64_t granularity_bytes) noexcept {
  const std::optional<std::uint64_t> blocks = RoundUp(extent.byte_length, kBlockBytes);
  const std::optional<std::uint64_t> total = blocks ? Add(extent.lead_bytes, *blocks) : std::nullopt;
  return total ? RoundUp(*total, granularity_bytes) : std::nullopt;
}

Mapping::Mapping(Caller& caller, FailureList& failures, int ordinal, Extent extent, std::uint64_t allocated_bytes)
    : caller_(caller), failures_(failures), ordinal_(ordinal), extent_(extent), allocated_bytes_(allocated_bytes) {}

Result<std::shared_ptr<Mapping>> Mapping::Create(Caller& caller, FailureList& failures, int ordinal, Extent extent,
                                                 std::uint64_t granularity_bytes) {
  if (extent.byte_length == 0) return InvalidInput("byteLength must be at least 1");
  if (extent.lead_bytes % kLeadAlignment != 0 || extent.lead_bytes >= kBlockBytes) {
    return InvalidInput("leadBytes must be a multiple of 16 below 4096");
  }
  const std::optional<std::uint64_t> allocated = AllocatedBytes(extent, granularity_bytes);
  if (!allocated) return InvalidInput("byteLength rounded up to the allocation granularity exceeds 64 bits");
  std::shared_ptr<Mapping> mapping(new Mapping(caller, failures, ordinal, extent, *allocated));
  if (Status created = mapping->CreatePhysical(); !created.ok()) return std::move(created).error();
  if (Status mapped = mapping->Map(); !mapped.ok()) return std::move(mapped).error();
  return mapping;
}

Mapping::~Mapping() {
  if (!held()) return;
  if (mapped_ && may_hold_data_ && !caller_.lost()) {
    failures_.Record(buffer_id_, Code::kIntegrityViolation);
    return;
  }
  if (Status freed = Free(); !freed.ok()) failures_.Record(buffer_id_, freed.error().code);
}

Status Mapping::CreatePhysical() {
  CUmemAllocationProp properties = {};
  properties.type = driver::kDeviceNonMigrating;
  properties.requestedHandleTypes = driver::kHandleTypeNone;
  properties.location = {kLocationDevice, ordinal_};
  Status created = VRAM_CALL(caller_, Code::kAllocationFailed, cuMemCreate, &handle_, allocated_bytes_, &properties, 0ULL);
  if (!created.ok()) return Shortage(std::move(created).error());
  has_handle_ = true;
  return Done{};
}

Error Mapping::Shortage(Error error) const {
  if (!error.answer || error.answer->result != driver::kOutOfMemory) return error;
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  const Status known = VRAM_CALL(caller_, Code::kCudaFailed, cuMemGetInfo_v2, &free_bytes, &total_bytes);
  error.code = Code::kInsufficientVram;
  error.shortage = vram::Shortage{allocated_bytes_, known.ok() ? std::optional<std::uint64_t>(free_bytes) : std::nullopt};
  error.message = "Not enough device memory: " + std::to_string(allocated_bytes_) + " bytes needed" +
                  (known.ok() ? ", " + std::to_string(free_bytes) + " available" : std::string());
  return error;
}

Status Mapping::Map() {
  constexpr Code kCode = Code::kAllocationFailed;
  Status done = VRAM_CALL(caller_, kCode, cuMemAddressReserve, &address_, allocated_bytes_, std::size_t{0}, CUdeviceptr{0}, 0ULL);
  if (!done.ok()) return done;
  reserved_ = true;
  if (!Add(address_, allocated_bytes_)) return Error{kCode, "The driver reserved a range that exceeds the address space"};
  done = VRAM_CALL(caller_, kCode, cuMemMap, address_, allocated_bytes_, std::size_t{0}, handle_, 0ULL);
  if (!done.ok()) return done;
  mapped_ = true;
  done = SetAccess(driver::kAccessReadWrite);
  if (!done.ok()) {
    Error error = std::move(done).error();
    if (error.code == Code::kCudaFailed) error.code = kCode;
    return error;
  }
  done = ReleaseHandle();
  if (!done.ok()) return done;
  std::uint64_t id = 0;
  if (VRAM_CALL(caller_, kCode, cuPointerGetAttribute, &id, int{driver::kPointerBufferId}, address_).ok()) buffer_id_ = id;
  return Done{};
}

Status Mapping::ReleaseHandle() {
  Status released = VRAM_CALL(caller_, Code::kAllocationFailed, cuMemRelease, handle_);
  if (released.ok()) has_handle_ = false;
  return released;
}

Status Mapping::Freeze() {
  Status frozen = SetAccess(driver::kAccessRead);
  if (frozen.ok()) gate_->Open();
  return frozen;
}

Status Mapping::Thaw() {
  if (Status closed = CloseGate(); !closed.ok()) return closed;
  return SetAccess(driver::kAccessReadWrite);
}

Status Mapping::CloseGate() {
  if (gate_->Close()) return Done{};
  return Error{Code::kCudaFailed, "Native code still holds a view of this memory; it must release what it acquired"};
}

Status Mapping::SetAccess(int access) {
  if (!mapped_) return InvalidInput("The allocation has been released");
  const CUmemAccessDesc description = {{kLocationDevice, ordinal_}, access};
  return VRAM_CALL(caller_, Code::kCudaFailed, cuMemSetAccess, address_, allocated_bytes_, &description, std::size_t{1});
}

Status Mapping::Free() {
  if (!caller_.lost()) {
    if (Status closed = CloseGate(); !closed.ok()) return closed;
  }
  std::optional<Error> first;
  if (mapped_) {
    Status unmapped = VRAM_CALL(caller_, Code::kCudaFailed, cuMemUnmap, address_, allocated_bytes_);
    mapped_ = !unmapped.ok();
    KeepFirst(first, std::move(unmapped));
  }
  if (reserved_ && !mapped_) {
    Status freed = VRAM_CALL(caller_, Code::kCudaFailed, cuMemAddressFree, address_, allocated_bytes_);
    reserved_ = !freed.ok();
    KeepFirst(first, std::move(freed));
  }
  if (has_handle_) KeepFirst(first, ReleaseHandle());
  if (caller_.lost()) Abandon();
  if (first) return *std::move(first);
  return Done{};
}

}  // namespace vram::device
