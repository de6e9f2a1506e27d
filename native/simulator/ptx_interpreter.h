// Executes a parsed PTX function over a one-dimensional grid.
#pragma once

#include <cstdint>
#include <vector>

#include "../driver/abi.h"
#include "ptx_program.h"

namespace vram::simulator {

// A stretch of device addresses and where its bytes lie on the host.
struct Window {
  CUdeviceptr base = 0;
  std::size_t bytes = 0;
  unsigned char* host = nullptr;
  bool writable = false;
};

struct Launch {
  const Function* function = nullptr;
  std::uint32_t blocks = 0;
  std::uint32_t threads_per_block = 0;
  std::vector<std::uint64_t> parameters;
  std::vector<Window> memory;  // sorted by base, disjoint
};

// kSuccess; kIllegalAddress for an access outside memory or a store to a window that is not writable;
// kMisalignedAddress. Threads that ran before the fault keep their effects.
CUresult Execute(const Launch& launch);

}  // namespace vram::simulator
