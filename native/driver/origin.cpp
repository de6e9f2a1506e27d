#include "driver/origin.h"

#include <dlfcn.h>
#include <sys/stat.h>

namespace vram::driver {
namespace {

bool OnlyRootCanWrite(const struct stat& file) {
  return S_ISREG(file.st_mode) && file.st_uid == 0 && (file.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

Origin OriginOf(std::span<void* const> functions) {
  Origin origin;
  struct stat first = {};
  for (void* function : functions) {
    Dl_info info = {};
    struct stat file = {};
    if (dladdr(function, &info) == 0 || info.dli_fname == nullptr || stat(info.dli_fname, &file) != 0) return {};
    if (!origin.path) {
      origin.path = info.dli_fname;
      first = file;
    } else if (file.st_dev != first.st_dev || file.st_ino != first.st_ino) {
      return {};
    }
  }
  origin.trusted = origin.path.has_value() && OnlyRootCanWrite(first);
  return origin;
}

}  // namespace vram::driver
