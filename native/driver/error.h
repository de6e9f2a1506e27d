// Errors as values: what happened, and the facts a caller may see. Never an address, a path or a weight byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "driver/abi.h"

namespace vram {

enum class Code {
  kInvalidInput,
  kDriverUnavailable,
  kInsufficientVram,
  kAllocationFailed,
  kCudaFailed,
  kDeviceLost,
  kIntegrityViolation,
  kAborted,
};

/// The spelling of a code in JavaScript.
constexpr const char* CodeName(Code code) noexcept {
  switch (code) {
    case Code::kInvalidInput: return "INVALID_INPUT";
    case Code::kDriverUnavailable: return "DRIVER_UNAVAILABLE";
    case Code::kInsufficientVram: return "INSUFFICIENT_VRAM";
    case Code::kAllocationFailed: return "CUDA_ALLOCATION_FAILED";
    case Code::kCudaFailed: return "CUDA_FAILED";
    case Code::kDeviceLost: return "DEVICE_LOST";
    case Code::kIntegrityViolation: return "INTEGRITY_VIOLATION";
    case Code::kAborted: return "ABORTED";
  }
  return "CUDA_FAILED";
}

/// What the driver answered to which call.
struct DriverAnswer {
  const char* entry_point;
  CUresult result;
  std::string result_name;
};

/// The numbers of an allocation that did not fit; `available_bytes` is empty when the driver could not say.
struct Shortage {
  std::uint64_t needed_bytes;
  std::optional<std::uint64_t> available_bytes;
};

struct Error {
  Code code;
  std::string message;
  std::optional<DriverAnswer> answer = std::nullopt;
  std::optional<Shortage> shortage = std::nullopt;
  /// Which of several things that share a code it was.
  const char* reason = nullptr;
};

inline Error InvalidInput(std::string message) { return {Code::kInvalidInput, std::move(message)}; }

}  // namespace vram
