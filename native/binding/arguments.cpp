#include "binding/arguments.h"

#include <climits>
#include <cmath>

namespace vram::binding {

std::optional<std::uint64_t> ReadInteger(Napi::Value value) {
  constexpr double kLargest = 9007199254740991.0;
  if (!value.IsNumber()) return std::nullopt;
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0 && number <= kLargest) || std::trunc(number) != number) return std::nullopt;
  return static_cast<std::uint64_t>(number);
}

std::optional<ops::Digest> ReadDigest(Napi::Value value) {
  if (!value.IsString()) return std::nullopt;
  const std::string text = value.As<Napi::String>().Utf8Value();
  ops::Digest digest;
  if (text.size() != 2 * digest.size() || text.find_first_not_of("0123456789abcdef") != text.npos) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::byte>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
  }
  return digest;
}

std::optional<int> ReadSmallInteger(Napi::Value value) {
  const std::optional<std::uint64_t> number = ReadInteger(value);
  if (!number || *number > INT_MAX) return std::nullopt;
  return static_cast<int>(*number);
}

std::shared_ptr<const driver::Library> ReadDriver(const Environment& environment, Napi::Value value) {
  const auto key = ReadHandle(environment, HandleKind::kDriver, value);
  return key ? environment.drivers.Find(*key) : nullptr;
}

std::shared_ptr<DeviceRecord> ReadDevice(const Environment& environment, Napi::Value value) {
  const auto key = ReadHandle(environment, HandleKind::kDevice, value);
  return key ? environment.devices.Find(*key) : nullptr;
}

std::shared_ptr<AllocationRecord> ReadAllocation(const Environment& environment, Napi::Value value) {
  const auto key = ReadHandle(environment, HandleKind::kAllocation, value);
  return key ? environment.allocations.Find(*key) : nullptr;
}

std::optional<std::shared_ptr<CancelFlag>> ReadCancel(const Environment& environment, Napi::Value value) {
  if (value.IsUndefined()) return std::shared_ptr<CancelFlag>();
  const auto key = ReadHandle(environment, HandleKind::kCancel, value);
  std::shared_ptr<CancelFlag> cancel = key ? environment.cancels.Find(*key) : nullptr;
  return cancel == nullptr ? std::nullopt : std::optional(std::move(cancel));
}

std::optional<Napi::Function> ReadProgress(Napi::Value value) {
  if (value.IsUndefined()) return Napi::Function();
  return value.IsFunction() ? std::optional(value.As<Napi::Function>()) : std::nullopt;
}

}  // namespace vram::binding
