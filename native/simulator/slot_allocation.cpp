#include "slot_allocation.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <vector>

#include "ptx_registers.h"

namespace vram::simulator {
namespace {

constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

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
    VisitRegisters(code[at], width, [&](std::uint16_t& slot, bool) {
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
    VisitRegisters(i, width, [&](std::uint16_t& slot, bool) { slot = assigned[slot]; });
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
