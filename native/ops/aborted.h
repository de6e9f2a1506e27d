// The error of an operation that its caller, or the end of the environment, has stopped.
#pragma once

#include "driver/error.h"

namespace vram::ops {

inline Error Aborted() { return {Code::kAborted, "The operation was aborted"}; }

}  // namespace vram::ops
