// Arithmetic on sizes and offsets that says no where it would wrap.
#pragma once

#include <cstdint>
#include <optional>

namespace vram::device {

constexpr std::optional<std::uint64_t> Add(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

constexpr std::optional<std::uint64_t> Multiply(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// `value` rounded up to a multiple of `unit`; nothing for a zero unit or a result beyond 64 bits.
constexpr std::optional<std::uint64_t> RoundUp(std::uint64_t value, std::uint64_t unit) noexcept {
  if (unit == 0) return std::nullopt;
  const std::uint64_t rest = value % unit;
  return rest == 0 ? std::optional(value) : Add(value, unit - rest);
}

/// Number of units that cover `value`.
constexpr std::uint64_t CeilDivide(std::uint64_t value, std::uint64_t unit) noexcept {
  return value / unit + (value % unit == 0 ? 0 : 1);
}

/// True when [offset, offset + length) lies within [0, size].
constexpr bool RangeFits(std::uint64_t offset, std::uint64_t length, std::uint64_t size) noexcept {
  return offset <= size && length <= size - offset;
}

}  // namespace vram::device
