// A self-test of the digest kernel on the device it will be trusted on.
#pragma once

#include "device/context.h"
#include "device/workspace.h"

namespace vram::ops {

/// Digests data of one block and of 129 blocks on the device and compares with published digests.
Status RunKnownAnswerTest(device::Context& context, device::Workspace& workspace);

}  // namespace vram::ops
