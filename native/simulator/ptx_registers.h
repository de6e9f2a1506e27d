// Which registers an instruction reads and writes.
#pragma once

#include <array>

#include "ptx_program.h"

namespace vram::simulator {

// Calls visit(slot, is_written) for each register of the given width that an instruction names, written ones last.
template <typename AnyInstruction, typename Visit>
void VisitRegisters(AnyInstruction& i, Width width, Visit visit) {
  const auto operand = [&](auto& o, Width of) {
    if (of == width && o.slot != Operand::kConstant) visit(o.slot, false);
  };
  const auto result = [&](auto& slot, Width of, bool is_written = true) {
    if (of == width) visit(slot, is_written);
  };
  if (i.guarded) result(i.guard, Width::kPredicate, false);
  switch (i.opcode) {
    case Opcode::kCompute: {
      const std::array operands = {&i.a, &i.b, &i.c};
      for (std::size_t k = 0; k < i.operation->operand_count; ++k) operand(*operands[k], i.operation->operands[k]);
      return result(i.destination, i.operation->result);
    }
    case Opcode::kAdd32:
    case Opcode::kXor32:
    case Opcode::kShr32:
    case Opcode::kFunnelRight32:
    case Opcode::kLogic3:
    case Opcode::kPermute:
    case Opcode::kMove32:
    case Opcode::kMultiplyAdd32:
      for (auto* const each : {&i.a, &i.b, &i.c}) operand(*each, Width::k32);
      return result(i.destination, Width::k32);
    case Opcode::kReadSpecial:
      return result(i.destination, Width::k32);
    case Opcode::kLoadParam:
      return result(i.destination, i.wide ? Width::k64 : Width::k32);
    case Opcode::kLoadConstant:
    case Opcode::kLoadGlobal:
    case Opcode::kStoreGlobal:
      operand(i.a, Width::k64);
      for (int k = 0; k < i.vector; ++k) result(i.elements[k], Width::k32, i.opcode != Opcode::kStoreGlobal);
      return;
    case Opcode::kBranch:
    case Opcode::kReturn:
      return;
  }
}

}  // namespace vram::simulator
