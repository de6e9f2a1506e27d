// A register that is read holds a value: the simulator does not guess what hardware would find there.
#pragma once

#include "ptx_program.h"

namespace vram::simulator {

// Whether every register is written, without a guard, on every way to where it is read.
bool ReadsOnlyWhatIsWritten(const Function& function);

}  // namespace vram::simulator
