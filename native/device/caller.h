// The one way to the driver's entry points of a device: turns answers into errors and remembers when the context is gone.
#pragma once

#include <optional>
#include <utility>

#include "driver/call.h"
#include "driver/result.h"
#include "driver/table.h"

namespace vram::device {

class Caller {
 public:
  explicit Caller(const driver::Table& table) noexcept : table_(table) {}

  const driver::Table& table() const noexcept { return table_; }
  bool lost() const noexcept { return lost_.has_value(); }

  /// Calls an entry point; once the context is gone nothing is called and the first sticky error is answered.
  template <class Function, class... Arguments>
  Status Call(const char* name, Code code, Function function, Arguments... arguments) {
    if (lost_) return *lost_;
    const CUresult result = function(arguments...);
    if (result == driver::kSuccess) return Done{};
    Error error = driver::CallFailed(table_, name, result, code);
    if (error.code == Code::kDeviceLost) lost_ = error;
    return error;
  }

 private:
  const driver::Table& table_;
  std::optional<Error> lost_;
};

}  // namespace vram::device

/// VRAM_CALL(caller, code, cuSymbol, arguments...): a Status, with `code` for a failure that leaves the context alive.
#define VRAM_CALL(caller, code, symbol, ...) (caller).Call(#symbol, code, (caller).table().symbol, __VA_ARGS__)
