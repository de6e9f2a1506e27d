// What the processor can do and the system lets it.
#pragma once

namespace vram::hash {

struct Processor {
  bool avx512;  // AVX-512 F and BW, and the system saves their registers
  bool sha_ni;
};

Processor ReadProcessor();

}  // namespace vram::hash
