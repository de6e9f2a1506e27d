// The driver library of one process: opened by dlopen, checked for origin and version, never closed again (a driver
// leaves threads behind).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "driver/result.h"
#include "driver/table.h"

namespace vram::driver {

enum class Backend { kCuda, kSimulator, kCustom };

class Library {
 public:
  /// Opens the system's libcuda.so.1, or the library at an absolute path, and initialises it.
  static Result<std::shared_ptr<const Library>> Open(const std::optional<std::string>& path);

  const Table& table() const noexcept { return table_; }
  /// An entry point of the driver's interface by name, for native code that uses the same driver; null for other names.
  void* Symbol(const char* name) const noexcept;
  Backend backend() const noexcept { return backend_; }
  int version() const noexcept { return version_; }
  bool trusted() const noexcept { return trusted_; }
  /// The file that holds every entry point; for reading it, not for showing it.
  const std::optional<std::string>& file_path() const noexcept { return file_path_; }

 private:
  explicit Library(void* handle) : handle_(handle) {}
  Status Bind();
  void Recognise(bool from_path);
  Status Initialise();

  void* const handle_;
  Table table_;
  Backend backend_ = Backend::kCustom;
  int version_ = 0;
  bool trusted_ = false;
  std::optional<std::string> file_path_;
};

}  // namespace vram::driver
