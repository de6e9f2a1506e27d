// The digest of the driver library's file, for the record.
#pragma once

#include <string>

#include "driver/result.h"
#include "ops/sha256.h"

namespace vram::ops {

/// SHA-256 of a file.
Result<Digest> FileSha256(const std::string& path);

}  // namespace vram::ops
