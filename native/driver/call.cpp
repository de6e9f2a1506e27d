#include "driver/call.h"

#include <algorithm>
#include <array>

namespace vram::driver {
namespace {

constexpr std::size_t kLongestName = 64;

// CUresult values documented as leaving the context (or the driver) unusable. 702, 710, 714, 715, 717 and 718 are the
// other kernel faults, 220 an NVLink fault, 709 a destroyed context, 4 a driver that is shutting down.
constexpr std::array kStickyResults = {
    kDeinitialized, kDeviceUnavailable, kEccUncorrectable, 220, kIllegalAddress, 702, 709, 710, 714, 715,
    kMisalignedAddress, 717, 718, kLaunchFailed, kUnknown,
};

bool IsNameCharacter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

bool IsSticky(CUresult result) noexcept {
  return std::find(kStickyResults.begin(), kStickyResults.end(), result) != kStickyResults.end();
}

std::string ResultName(const Table& table, CUresult result) {
  const char* text = nullptr;
  if (table.cuGetErrorName(result, &text) != kSuccess || text == nullptr) return "CUDA_ERROR_" + std::to_string(result);
  std::string name;
  for (const char* c = text; *c != '\0' && name.size() < kLongestName; ++c) {
    if (IsNameCharacter(*c)) name.push_back(*c);
  }
  return name;
}

Error CallFailed(const Table& table, const char* entry_point, CUresult result, Code code) {
  const bool lost = IsSticky(result);
  std::string name = ResultName(table, result);
  std::string message = std::string(entry_point) + " answered " + name;
  if (lost) message += "; the device context is gone, open the device again in a new process";
  return {lost ? Code::kDeviceLost : code, std::move(message), DriverAnswer{entry_point, result, std::move(name)}};
}

}  // namespace vram::driver
