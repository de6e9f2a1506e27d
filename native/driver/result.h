// A value or an Error. Looking at the wrong one is a programming error and ends the process.
#pragma once

#include <cstdlib>
#include <optional>
#include <utility>
#include <variant>

#include "driver/error.h"

namespace vram {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return content_.index() == 0; }
  T& value() & { return *Checked(std::get_if<0>(&content_)); }
  const T& value() const& { return *Checked(std::get_if<0>(&content_)); }
  T&& value() && { return std::move(*Checked(std::get_if<0>(&content_))); }
  Error& error() & { return *Checked(std::get_if<1>(&content_)); }
  const Error& error() const& { return *Checked(std::get_if<1>(&content_)); }
  Error&& error() && { return std::move(*Checked(std::get_if<1>(&content_))); }

 private:
  template <class P>
  static P* Checked(P* content) noexcept {
    if (content == nullptr) std::abort();
    return content;
  }
  std::variant<T, Error> content_;
};

struct Done {};
using Status = Result<Done>;

/// The first of the errors met, if any.
inline void KeepFirst(std::optional<Error>& first, Status&& next) {
  if (!next.ok() && !first) first = std::move(next).error();
}

}  // namespace vram
