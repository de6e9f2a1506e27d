// Reading a range of an open file whole.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "driver/result.h"

namespace vram::ops {

/// Set by whoever wants an operation to end; an empty pointer is never set.
using Cancel = std::shared_ptr<const std::atomic<bool>>;
using Progress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

/// Fills `bytes` from `offset` on. A read error, a file that ends before and an abort are errors.
Status ReadWhole(int fd, off_t offset, std::span<std::byte> bytes, const Cancel& cancel);

}  // namespace vram::ops
