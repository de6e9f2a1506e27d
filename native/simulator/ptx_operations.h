// The PTX operations that compute a register from operands, lane by lane.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace vram::simulator {

// Where a value lives: 32-bit registers hold integers and floats alike.
enum class Width : std::uint8_t { k32, k64, kPredicate };

// Operands and results as the low bits of 64; a predicate is 0 or 1.
using Compute = std::uint64_t (*)(std::uint64_t a, std::uint64_t b, std::uint64_t c);

struct Operation {
  Compute compute = nullptr;
  Width result{};
  std::uint8_t operand_count = 0;
  Width operands[3] = {};
};

// Null where the simulator does not execute an operation of that name ("fma.rn.f32"). Operations whose result PTX leaves
// open (mul.f32 may be fused with an addition, div.approx.f32) are not executed.
const Operation* FindOperation(std::string_view name);

}  // namespace vram::simulator
