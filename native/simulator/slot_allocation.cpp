#include "slot_allocation.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <utility>
#include <vector>

#include "ptx_registers.h"

namespace vram::simulator {
namespace {

// Moments of a function: an instruction reads its operands, then writes its results.
constexpr std::uint32_t Read(std::size_t at) { return static_cast<std::uint32_t>(2 * at); }
constexpr std::uint32_t Written(std::size_t at) { return static_cast<std::uint32_t>(2 * at + 1); }

// From the first moment at which a register has a value that is still wanted to the last.
struct Interval {
  std::uint32_t first = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t last = 0;

  void Cover(std::uint32_t moment) {
    first = std::min(first, moment);
    last = std::max(last, moment);
  }
};

using Set = std::vector<std::uint64_t>;  // of registers, a bit each

// The registers whose values are still read, before each instruction: the usual equations, solved from the end.
std::vector<Set> Live(const std::vector<Instruction>& code, Width width, std::size_t registers) {
  std::vector<Set> live(code.size() + 1, Set((registers + 63) / 64));
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t at = code.size(); at-- > 0;) {
      const Instruction& i = code[at];
      const bool leaves = (i.opcode == Opcode::kBranch || i.opcode == Opcode::kReturn) && !i.guarded;
      Set set = leaves ? Set(live[at].size()) : live[at + 1];
      if (i.opcode == Opcode::kBranch) {
        for (std::size_t k = 0; k < set.size(); ++k) set[k] |= live[i.target][k];
      }
      const auto visit = [&](bool writes) {
        VisitRegisters(i, width, [&](std::uint16_t name, bool is_written) {
          const std::uint64_t bit = std::uint64_t{1} << (name % 64);
          if (is_written != writes) return;
          if (!is_written) set[name / 64] |= bit;
          else if (!i.guarded) set[name / 64] &= ~bit;
        });
      };
      visit(true);
      visit(false);
      changed = changed || set != live[at];
      live[at] = std::move(set);
    }
  }
  return live;
}

std::vector<Interval> IntervalsOf(const std::vector<Instruction>& code, Width width, std::size_t registers) {
  std::vector<Interval> intervals(registers);
  const std::vector<Set> live = Live(code, width, registers);
  for (std::size_t at = 0; at < code.size(); ++at) {
    for (std::size_t name = 0; name < registers; ++name) {
      if ((live[at][name / 64] >> (name % 64)) & 1) intervals[name].Cover(Read(at));
    }
    VisitRegisters(code[at], width, [&](std::uint16_t name, bool is_written) {
      if (is_written) intervals[name].Cover(Written(at));
    });
  }
  return intervals;
}

void AllocateWidth(Function& function, Width width, std::uint16_t& count) {
  auto& code = function.instructions;
  const std::vector<Interval> intervals = IntervalsOf(code, width, count);
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
    while (!busy.empty() && busy.top().first < intervals[name].first) {
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
