// The driver's entry points by their explicit names.
#pragma once

#include "driver/abi.h"

namespace vram::driver {

struct Table {
#define X(symbol, parameters) CUresult(*symbol) parameters = nullptr;
#include "driver/entry_points.inc"
#undef X
};

/// Oldest driver API accepted: 12.2, shipped with R535.
inline constexpr int kOldestVersion = 12020;

}  // namespace vram::driver
