// Random bytes and comparison without an early exit.
#pragma once

#include <cstddef>
#include <span>

#include "driver/result.h"

namespace vram::ops {

/// Fills from the kernel's random generator.
Status FillRandom(std::span<std::byte> bytes);

/// True for equal contents; the time depends on the length alone. Different lengths are unequal.
bool ConstantTimeEqual(std::span<const std::byte> a, std::span<const std::byte> b) noexcept;

}  // namespace vram::ops
