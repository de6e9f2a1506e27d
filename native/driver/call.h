// Turns a driver answer into an Error.
#pragma once

#include "driver/error.h"
#include "driver/table.h"

namespace vram::driver {

/// True for answers after which the context, and with it every allocation, is gone.
bool IsSticky(CUresult result) noexcept;

/// The driver's own name of a result, reduced to letters, digits and underscores.
std::string ResultName(const Table& table, CUresult result);

/// An error for a failed call; a sticky answer becomes DEVICE_LOST whatever code was asked for.
Error CallFailed(const Table& table, const char* entry_point, CUresult result, Code code = Code::kCudaFailed);

}  // namespace vram::driver
