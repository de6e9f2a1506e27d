#include "slot_allocation.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <vector>

namespace vram::simulator {
namespace {

constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

// Calls visit(slot, is_write) for each register of the given kind that an instruction names.
enum class Kind { k32, k64, kPredicate };

template <typename Visit>
void VisitRegisters(Instruction& i, Kind kind, Visit visit) {
  const auto operand = [&](Operand& o) {
    if (o.slot != Operand::kConstant) visit(o.slot, false);
  };
  const bool k32 = kind == Kind::k32;
  const bool k64 = kind == Kind::k64;
  if (kind == Kind::kPredicate && i.guarded) visit(i.guard, false);
  switch (i.opcode) {
    case Opcode::kAdd32:
    case Opcode::kMad32:
    case Opcode::kAnd32:
    case Opcode::kOr32:
    case Opcode::kXor32:
    case Opcode::kShl32:
    case Opcode::kShr32:
    case Opcode::kFunnelRight32:
    case Opcode::kLogic3:
    case Opcode::kPermute:
    case Opcode::kMove32:
      if (!k32) return;
      operand(i.a);
      operand(i.b);
      operand(i.c);
      visit(i.destination, true);
      return;
    case Opcode::kAdd64:
    case Opcode::kMove64:
      if (!k64) return;
      operand(i.a);
      operand(i.b);
      visit(i.destination, true);
      return;
    case Opcode::kShl64:
      if (k64) operand(i.a);
      if (k32) operand(i.b);
      if (k64) visit(i.destination, true);
      return;
    case Opcode::kMulWide32:
    case Opcode::kWiden32:
      if (k32) {
        operand(i.a);
        operand(i.b);
      }
      if (k64) visit(i.destination, true);
      return;
    case Opcode::kSet:
      if (i.wide ? k64 : k32) {
        operand(i.a);
        operand(i.b);
      }
      if (kind == Kind::kPredicate) visit(i.destination, true);
      return;
    case Opcode::kLoadParam32:
    case Opcode::kReadSpecial:
      if (k32) visit(i.destination, true);
      return;
    case Opcode::kLoadParam64:
      if (k64) visit(i.destination, true);
      return;
    case Opcode::kLoadGlobal:
    case Opcode::kStoreGlobal:
      if (k64) operand(i.a);
      if (k32) {
        for (int k = 0; k < i.vector; ++k) visit(i.elements[k], i.opcode == Opcode::kLoadGlobal);
      }
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

void AllocateKind(Function& function, Kind kind, std::uint16_t& count) {
  auto& code = function.instructions;
  std::vector<Interval> intervals(count);
  for (std::uint32_t at = 0; at < code.size(); ++at) {
    VisitRegisters(code[at], kind, [&](std::uint16_t& slot, bool) {
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
    VisitRegisters(i, kind, [&](std::uint16_t& slot, bool) { slot = assigned[slot]; });
  }
  count = used;
}

}  // namespace

void AllocateSlots(Function& function) {
  AllocateKind(function, Kind::k32, function.slots32);
  AllocateKind(function, Kind::k64, function.slots64);
  AllocateKind(function, Kind::kPredicate, function.predicates);
}

}  // namespace vram::simulator
