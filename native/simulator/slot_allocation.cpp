#include "slot_allocation.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <vector>

namespace vram::simulator {
namespace {

constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

// Calls visit(slot) for each register of the given width that an instruction names.
template <typename Visit>
void VisitRegisters(Instruction& i, Width width, Visit visit) {
  const auto operand = [&](Operand& o, Width of) {
    if (of == width && o.slot != Operand::kConstant) visit(o.slot);
  };
  const auto result = [&](std::uint16_t& slot, Width of) {
    if (of == width) visit(slot);
  };
  if (i.guarded) result(i.guard, Width::kPredicate);
  switch (i.opcode) {
    case Opcode::kCompute: {
      Operand* const operands[] = {&i.a, &i.b, &i.c};
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
      for (Operand* const each : {&i.a, &i.b, &i.c}) operand(*each, Width::k32);
      return result(i.destination, Width::k32);
    case Opcode::kReadSpecial:
      return result(i.destination, Width::k32);
    case Opcode::kLoadParam:
      return result(i.destination, i.wide ? Width::k64 : Width::k32);
    case Opcode::kLoadGlobal:
    case Opcode::kStoreGlobal:
      operand(i.a, Width::k64);
      for (int k = 0; k < i.vector; ++k) result(i.elements[k], Width::k32);
      return;
    case Opcode::kBranch:
    case Opcode::kReturn:
      return;
  }
}

struct Interval {
  std::uint32_t first = kNever;
  std::uint32_t last = 0;
};

// A register that is live into a loop must keep its slot to the end of the loop.
void ExtendOverLoops(const std::vector<Instruction>& code, std::vector<Interval>& intervals) {
  for (bool changed = true; changed;) {
    changed = false;
    for (std::uint32_t at = 0; at < code.size(); ++at) {
      if (code[at].opcode != Opcode::kBranch || code[at].target > at) continue;
      for (Interval& interval : intervals) {
        const bool enters = interval.first < code[at].target && interval.last >= code[at].target;
        const bool leaves = interval.first >= code[at].target && interval.first <= at && interval.last > at;
        if (enters && interval.last < at) {
          interval.last = at;
          changed = true;
        }
        if (leaves && interval.first > code[at].target) {
          interval.first = code[at].target;
          changed = true;
        }
      }
    }
  }
}

void AllocateWidth(Function& function, Width width, std::uint16_t& count) {
  auto& code = function.instructions;
  std::vector<Interval> intervals(count);
  for (std::uint32_t at = 0; at < code.size(); ++at) {
    VisitRegisters(code[at], width, [&](std::uint16_t& slot) {
      intervals[slot].first = std::min(intervals[slot].first, at);
      intervals[slot].last = std::max(intervals[slot].last, at);
    });
  }
  // A result that nobody reads must not share its slot with another result of the same instruction.
  for (Interval& interval : intervals) interval.last = std::max(interval.last, interval.first + 1);
  ExtendOverLoops(code, intervals);

  std::vector<std::uint16_t> order(count);
  for (std::uint16_t k = 0; k < count; ++k) order[k] = k;
  std::sort(order.begin(), order.end(), [&](auto l, auto r) { return intervals[l].first < intervals[r].first; });

  std::vector<std::uint16_t> assigned(count);
  std::priority_queue<std::uint16_t, std::vector<std::uint16_t>, std::greater<>> unused;
  std::priority_queue<std::pair<std::uint32_t, std::uint16_t>, std::vector<std::pair<std::uint32_t, std::uint16_t>>,
                      std::greater<>>
      busy;
  std::uint16_t used = 0;
  for (const std::uint16_t name : order) {
    // An instruction reads its operands before it writes, so an interval that ends here may hand its slot over.
    while (!busy.empty() && busy.top().first <= intervals[name].first) {
      unused.push(busy.top().second);
      busy.pop();
    }
    std::uint16_t slot = used;
    if (unused.empty()) {
      ++used;
    } else {
      slot = unused.top();
      unused.pop();
    }
    assigned[name] = slot;
    busy.emplace(intervals[name].last, slot);
  }
  for (Instruction& i : code) {
    VisitRegisters(i, width, [&](std::uint16_t& slot) { slot = assigned[slot]; });
  }
  count = used;
}

}  // namespace

void AllocateSlots(Function& function) {
  AllocateWidth(function, Width::k32, function.slots32);
  AllocateWidth(function, Width::k64, function.slots64);
  AllocateWidth(function, Width::kPredicate, function.predicates);
}

}  // namespace vram::simulator
