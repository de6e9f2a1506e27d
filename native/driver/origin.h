// Where the code behind a set of function pointers comes from.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace vram::driver {

struct Origin {
  /// The one file that holds every function, or empty when they lie in several or the file cannot be named.
  std::optional<std::string> path;
  /// One regular file, owned by root and writable by nobody else.
  bool trusted = false;
};

Origin OriginOf(std::span<void* const> functions);

}  // namespace vram::driver
