#include "definite_assignment.h"

#include <map>
#include <optional>

#include "ptx_registers.h"

namespace vram::simulator {
namespace {

// The registers written on every way to a place; nothing where no way is known yet.
using Written = std::optional<std::vector<bool>>;

// Answers whether `into` changed.
bool Meet(Written& into, const Written& other) {
  if (!other) return false;
  if (!into) {
    into = other;
    return true;
  }
  bool changed = false;
  for (std::size_t k = 0; k < into->size(); ++k) {
    if (!(*into)[k] || (*other)[k]) continue;
    (*into)[k] = false;
    changed = true;
  }
  return changed;
}

class Flow {
 public:
  Flow(const Function& function, Width width, std::size_t registers)
      : code_(function.instructions), width_(width), registers_(registers) {
    for (const Instruction& i : code_) {
      if (i.opcode == Opcode::kBranch) targets_.try_emplace(i.target);
    }
  }

  bool ReadsOnlyWhatIsWritten() {
    do {
      changed_ = false;
      Written written(std::in_place, registers_, false);
      for (std::uint32_t at = 0; at < code_.size(); ++at) {
        if (const auto target = targets_.find(at); target != targets_.end()) {
          changed_ = Meet(target->second, written) || changed_;
          written = target->second;
        }
        if (written && !Step(code_[at], written)) return false;
      }
    } while (changed_);
    return true;
  }

 private:
  // Lets an instruction change what is written after it; false where it reads what is not.
  bool Step(const Instruction& i, Written& written) {
    bool defined = true;
    VisitRegisters(i, width_, [&](std::uint16_t slot, bool is_written) {
      if (!is_written) {
        defined = defined && (*written)[slot];
      } else if (!i.guarded) {
        (*written)[slot] = true;
      }
    });
    if (!defined) return false;
    if (i.opcode == Opcode::kBranch) changed_ = Meet(targets_[i.target], written) || changed_;
    if ((i.opcode == Opcode::kBranch || i.opcode == Opcode::kReturn) && !i.guarded) written.reset();
    return true;
  }

  const std::vector<Instruction>& code_;
  const Width width_;
  const std::size_t registers_;
  std::map<std::uint32_t, Written> targets_;
  bool changed_ = false;
};

}  // namespace

bool ReadsOnlyWhatIsWritten(const Function& function) {
  return Flow(function, Width::k32, function.slots32).ReadsOnlyWhatIsWritten() &&
         Flow(function, Width::k64, function.slots64).ReadsOnlyWhatIsWritten() &&
         Flow(function, Width::kPredicate, function.predicates).ReadsOnlyWhatIsWritten();
}

}  // namespace vram::simulator
