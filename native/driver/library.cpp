#include "driver/library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include "driver/call.h"
#include "driver/origin.h"

namespace vram::driver {
namespace {

constexpr const char* kSystemLibrary = "libcuda.so.1";
constexpr const char* kSimulatorMark = "vram_simulator_mark";
constexpr const char* kRemedy =
    "install the NVIDIA driver, R535 or newer, or try without a GPU through the package vram-simulator";

Error Unavailable(const std::string& what) { return {Code::kDriverUnavailable, what + ": " + kRemedy}; }

/// A compute cache in the home directory would let another process choose the machine code of the kernel.
void DisableComputeCache() {
  constexpr const char* kVariable = "CUDA_CACHE_DISABLE";
  const char* value = std::getenv(kVariable);
  if (value == nullptr || std::string_view(value) != "1") setenv(kVariable, "1", 1);
}

std::vector<void*> EntryPoints(const Table& table) {
  return {
#define X(symbol, parameters) reinterpret_cast<void*>(table.symbol),
#include "driver/entry_points.inc"
#undef X
  };
}

}  // namespace

Result<std::shared_ptr<const Library>> Library::Open(const std::optional<std::string>& path) {
  if (path && (path->empty() || path->front() != '/' || path->find('\0') != std::string::npos)) {
    return InvalidInput("libraryPath must be an absolute path");
  }
  void* handle = dlopen(path ? path->c_str() : kSystemLibrary, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return Unavailable(path ? "The driver library given by path could not be loaded" : "No CUDA driver (libcuda.so.1) was found");
  }
  std::shared_ptr<Library> library(new Library(handle));
  if (Status bound = library->Bind(); !bound.ok()) return std::move(bound).error();
  library->Recognise(path.has_value());
  if (Status ready = library->Initialise(); !ready.ok()) return std::move(ready).error();
  return std::shared_ptr<const Library>(std::move(library));
}

Status Library::Bind() {
#define X(symbol, parameters)                                                                     \
  table_.symbol = reinterpret_cast<CUresult(*) parameters>(dlsym(handle_, #symbol));              \
  if (table_.symbol == nullptr) return Unavailable("The driver library has no entry point " #symbol);
#include "driver/entry_points.inc"
#undef X
  return Done{};
}

void* Library::Symbol(const char* name) const noexcept {
  return std::string_view(name).starts_with("cu") ? dlsym(handle_, name) : nullptr;
}

void Library::Recognise(bool from_path) {
  const Origin origin = OriginOf(EntryPoints(table_));
  trusted_ = origin.trusted;
  file_path_ = origin.path;
  if (!from_path) {
    backend_ = origin.trusted ? Backend::kCuda : Backend::kCustom;
  } else {
    backend_ = dlsym(handle_, kSimulatorMark) != nullptr ? Backend::kSimulator : Backend::kCustom;
  }
}

Status Library::Initialise() {
  DisableComputeCache();
  if (CUresult result = table_.cuInit(0); result != kSuccess) {
    Error error = CallFailed(table_, "cuInit", result);
    return Error{Code::kDriverUnavailable, "The CUDA driver did not start, " + error.answer->result_name + ": " + kRemedy,
                 std::move(error.answer)};
  }
  if (CUresult result = table_.cuDriverGetVersion(&version_); result != kSuccess) {
    Error error = CallFailed(table_, "cuDriverGetVersion", result);
    return Error{Code::kDriverUnavailable, "The CUDA driver's version could not be read: " + std::string(kRemedy),
                 std::move(error.answer)};
  }
  if (version_ < kOldestVersion) return Unavailable("The CUDA driver is older than CUDA 12.2");
  return Done{};
}

}  // namespace vram::driver
