// The part of Context that reads facts about a mapping. Answers start from a pattern that is no good answer, so that a
// driver that says success without writing is seen.
#include <bit>
#include <cstring>

#include "device/checked.h"
#include "device/context.h"

namespace vram::device {
namespace {

constexpr std::uint64_t kPoison = 0xA5A5A5A5A5A5A5A5;
constexpr std::uint64_t kLowHalf = 0xFFFFFFFF;

Error Unwritten() { return {Code::kCudaFailed, "cuPointerGetAttribute answered success without a value"}; }

}  // namespace

template <class T>
Result<T> Context::Read(const Mapping& mapping, driver::PointerAttribute attribute, T poison) {
  Result<CUdeviceptr> address = At(mapping, 0, 0);
  if (!address.ok()) return std::move(address).error();
  T value = poison;
  Status read = VRAM_CALL(caller_, Code::kCudaFailed, cuPointerGetAttribute, static_cast<void*>(&value), int{attribute},
                          address.value());
  if (!read.ok()) return std::move(read).error();
  return value;
}

Result<std::uint64_t> Context::ReadAttribute(const Mapping& mapping, driver::PointerAttribute attribute) {
  Result<std::uint64_t> value = Read(mapping, attribute, kPoison);
  if (!value.ok()) return value;
  if (value.value() == kPoison) return Unwritten();
  // Some attributes are 32 bits wide: the upper half is then still the pattern.
  if ((value.value() & ~kLowHalf) == (kPoison & ~kLowHalf)) return value.value() & kLowHalf;
  return value;
}

Result<bool> Context::ReadFlag(const Mapping& mapping, driver::PointerAttribute attribute) {
  static_assert(std::endian::native == std::endian::little);
  Result<std::uint64_t> value = Read(mapping, attribute, kPoison);
  if (!value.ok()) return std::move(value).error();
  const auto low = static_cast<unsigned char>(value.value());
  if (low > 1) return Unwritten();
  return low == 1;
}

Result<bool> Context::HasPointer(const Mapping& mapping, driver::PointerAttribute attribute) {
  Result<std::uint64_t> value = Read(mapping, attribute, kPoison);
  if (!value.ok()) return std::move(value).error();
  if (value.value() == kPoison) return Unwritten();
  return value.value() != 0;
}

Result<bool> Context::RangeCoversAllocation(const Mapping& mapping) {
  Result<std::uint64_t> start = Read(mapping, driver::kPointerRangeStart, kPoison);
  if (!start.ok()) return std::move(start).error();
  Result<std::uint64_t> size = Read(mapping, driver::kPointerRangeSize, kPoison);
  if (!size.ok()) return std::move(size).error();
  if (start.value() == kPoison || size.value() == kPoison) return Unwritten();
  if (start.value() > mapping.address_) return false;
  return RangeFits(mapping.address_ - start.value(), mapping.allocated_bytes_, size.value());
}

Result<std::uint64_t> Context::AccessFrom(const Mapping& mapping, int ordinal) {
  Result<CUdeviceptr> address = At(mapping, 0, 0);
  if (!address.ok()) return std::move(address).error();
  const CUmemLocation location = {driver::kLocationDevice, ordinal};
  unsigned long long flags = kPoison;
  Status read = VRAM_CALL(caller_, Code::kCudaFailed, cuMemGetAccess, &flags, &location, address.value());
  if (!read.ok()) return std::move(read).error();
  if (flags == kPoison) return Unwritten();
  return std::uint64_t{flags};
}

Result<int> Context::DeviceCount() {
  int count = -1;
  Status read = VRAM_CALL(caller_, Code::kCudaFailed, cuDeviceGetCount, &count);
  if (!read.ok()) return std::move(read).error();
  if (count < 1) return Error{Code::kCudaFailed, "cuDeviceGetCount answered success without a count"};
  return count;
}

}  // namespace vram::device
