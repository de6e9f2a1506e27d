// Packs the registers of a function, which the compiler left in single-assignment form, into as few slots as are live
// at once, so that the slots of many lanes stay in the first-level cache.
#pragma once

#include "ptx_program.h"

namespace vram::simulator {

void AllocateSlots(Function& function);

}  // namespace vram::simulator
