#include "ptx_interpreter.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <bitset>
#include <cstring>
#include <thread>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__) || !defined(__x86_64__) || !defined(__OPTIMIZE__)
#define VRAM_CLONES
#else
#define VRAM_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#endif
#define VRAM_INLINE_LANES __attribute__((always_inline)) inline

namespace vram::simulator {
namespace {

using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

// Lanes executed by one pass over the instructions: enough to pay for decoding, few enough for the slots of all of them
// to stay in the first-level cache.
constexpr u32 kLanes = 64;
constexpr u32 kReturned = 0xffffffff;

using Mask = std::bitset<kLanes>;

template <typename T>
struct alignas(64) Lanes {
  T lane[kLanes];
};

u32 SelectBytes(u32 a, u32 b, u32 selector) {
  const u64 bytes = (u64{b} << 32) | a;
  u32 result = 0;
  for (u32 k = 0; k < 4; ++k) {
    const u32 nibble = (selector >> (4 * k)) & 0xf;
    u32 byte = static_cast<u32>(bytes >> (8 * (nibble & 7))) & 0xff;
    if (nibble & 8) byte = (byte & 0x80) ? 0xff : 0;
    result |= byte << (8 * k);
  }
  return result;
}

u32 LogicByTable(u32 a, u32 b, u32 c, u8 table) {
  u32 result = 0;
  for (u32 k = 0; k < 8; ++k) {
    if (!((table >> k) & 1)) continue;
    result |= ((k & 4) ? a : ~a) & ((k & 2) ? b : ~b) & ((k & 1) ? c : ~c);
  }
  return result;
}

// One group of lanes on its way through the function. Lanes that part at a branch are run lowest instruction first, so
// that they meet again where their ways join.
class Group {
 public:
  explicit Group(const Launch& launch)
      : launch_(launch),
        code_(launch.function->instructions),
        constants_(launch.function->constants),
        r32_(launch.function->slots32),
        r64_(launch.function->slots64),
        predicates_(launch.function->predicates) {}

  CUresult Run(u32 block, u32 first_thread) {
    block_ = block;
    first_thread_ = first_thread;
    const u32 count = std::min(kLanes, launch_.threads_per_block - first_thread);
    for (u32 k = 0; k < kLanes; ++k) at_[k] = k < count ? 0 : kReturned;
    fault_ = driver::kSuccess;
    for (;;) {
      const u32 next = *std::min_element(at_, at_ + kLanes);
      if (next >= code_.size()) return driver::kSuccess;
      // Lanes that returned have no use for their slots: where all others are together, no result needs a mask.
      active_.reset();
      together_ = true;
      for (u32 k = 0; k < kLanes; ++k) {
        active_[k] = at_[k] == next;
        together_ = together_ && (active_[k] || at_[k] == kReturned);
      }
      u32 after = RunStraight(next);
      while (fault_ == driver::kSuccess && after != kReturned) after = Branch(after);
      if (fault_ != driver::kSuccess) return fault_;
    }
  }

 private:
  // Runs the active lanes up to a branch, a return or a place where others wait; answers the branch's index.
  u32 RunStraight(u32 from);

  void Arrive(const Mask& lanes, u32 at) {
    for (u32 k = 0; k < kLanes; ++k) {
      if (lanes[k]) at_[k] = at;
    }
  }

  Mask Guarded(const Instruction& i) const {
    if (!i.guarded) return active_;
    const Mask& guard = predicates_[i.guard];
    return active_ & (i.guard_negated ? ~guard : guard);
  }

  // Lanes that are together and stay so go on, up to the next branch; others wait for Run.
  u32 Branch(u32 at) {
    const Instruction& i = code_[at];
    const Mask taken = Guarded(i);
    const u32 target = Target(i);
    if (together_ && target < code_.size() && taken == active_) return RunStraight(target);
    if (together_ && at + 1 < code_.size() && taken.none()) return RunStraight(at + 1);
    Arrive(active_ & ~taken, at + 1);
    Arrive(taken, target);
    return kReturned;
  }

  // A branch to a return is one: lanes that waited there for the others would keep these from being together.
  u32 Target(const Instruction& i) const {
    if (i.opcode == Opcode::kReturn) return kReturned;
    const bool returns = i.target < code_.size() && code_[i.target].opcode == Opcode::kReturn && !code_[i.target].guarded;
    return returns ? kReturned : i.target;
  }

  void Access(const Instruction& i, const Mask& mask);
  void LoadConstant(const Instruction& i);
  void Compute(const Instruction& i);

  // Where the bytes of an access lie on the host; null, and a fault, where there are none.
  unsigned char* Resolve(Opcode opcode, CUdeviceptr address, std::size_t bytes) {
    if (address % bytes != 0) {
      fault_ = driver::kMisalignedAddress;
      return nullptr;
    }
    if (opcode == Opcode::kLoadConstant) return ResolveConstant(address, bytes);
    if (address < window_.base || address - window_.base >= window_.bytes) {
      const auto after = std::upper_bound(launch_.memory.begin(), launch_.memory.end(), address,
                                          [](CUdeviceptr a, const Window& w) { return a < w.base; });
      if (after == launch_.memory.begin()) {
        fault_ = driver::kIllegalAddress;
        return nullptr;
      }
      window_ = *std::prev(after);
    }
    const u64 offset = address - window_.base;
    if (offset >= window_.bytes || window_.bytes - offset < bytes || (opcode == Opcode::kStoreGlobal && !window_.writable)) {
      fault_ = driver::kIllegalAddress;
      return nullptr;
    }
    return window_.host + offset;
  }

  unsigned char* ResolveConstant(u64 address, std::size_t bytes) {
    if (address < constants_.size() && constants_.size() - address >= bytes) return constants_.data() + address;
    fault_ = driver::kIllegalAddress;
    return nullptr;
  }

  u32 Special32(Special special, u32 lane) const {
    switch (special) {
      case Special::kThreadX: return first_thread_ + lane;
      case Special::kThreadsX: return launch_.threads_per_block;
      case Special::kThreadsY: return 1;  // every launch is one-dimensional
      case Special::kBlockX: return block_;
      case Special::kBlocksX: return launch_.blocks;
    }
    return 0;
  }

  // Writes compute(lane) to the destination of every lane that executes.
  template <typename T, typename Compute>
  VRAM_INLINE_LANES void Write(const Instruction& i, Lanes<T>& destination, Compute compute) {
    if (together_ && !i.guarded) {
      T* const out = destination.lane;
#pragma GCC ivdep
      for (u32 k = 0; k < kLanes; ++k) out[k] = compute(k);
      return;
    }
    const Mask mask = Guarded(i);
    for (u32 k = 0; k < kLanes; ++k) {
      if (mask[k]) destination.lane[k] = compute(k);
    }
  }

  // Binary operation; a constant right operand is the common case and gets a loop of its own.
  template <typename Combine>
  VRAM_INLINE_LANES void Binary32(const Instruction& i, Combine combine) {
    const u32* const a = Fetch(i.a, scratch32_[0]);
    if (i.b.slot == Operand::kConstant) {
      const u32 b = static_cast<u32>(i.b.constant);
      Write(i, r32_[i.destination], [=](u32 k) { return combine(a[k], b); });
    } else {
      const u32* const b = r32_[i.b.slot].lane;
      Write(i, r32_[i.destination], [=](u32 k) { return combine(a[k], b[k]); });
    }
  }

  template <typename T>
  static VRAM_INLINE_LANES bool HoldsEverywhere(const Lanes<T>& lanes, T value) {
    T different = 0;
    for (u32 k = 0; k < kLanes; ++k) different |= lanes.lane[k] ^ value;
    return different == 0;
  }

  // Whether every lane has the same value of an operand, so that one lane can compute for all.
  VRAM_INLINE_LANES bool IsUniform(const Operand& operand, Width width) const {
    if (operand.slot == Operand::kConstant) return true;
    switch (width) {
      case Width::k32: return HoldsEverywhere(r32_[operand.slot], r32_[operand.slot].lane[0]);
      case Width::k64: return HoldsEverywhere(r64_[operand.slot], r64_[operand.slot].lane[0]);
      case Width::kPredicate: return predicates_[operand.slot].all() || predicates_[operand.slot].none();
    }
    return false;
  }

  VRAM_INLINE_LANES const u32* Fetch(const Operand& operand, Lanes<u32>& scratch) {
    if (operand.slot != Operand::kConstant) return r32_[operand.slot].lane;
    for (u32 k = 0; k < kLanes; ++k) scratch.lane[k] = static_cast<u32>(operand.constant);
    return scratch.lane;
  }

  u64 Value(const Operand& operand, Width width, u32 lane) const {
    if (operand.slot == Operand::kConstant) return operand.constant;
    switch (width) {
      case Width::k32: return r32_[operand.slot].lane[lane];
      case Width::k64: return r64_[operand.slot].lane[lane];
      case Width::kPredicate: return predicates_[operand.slot][lane];
    }
    return 0;
  }

  const Launch& launch_;
  const std::vector<Instruction>& code_;
  std::vector<unsigned char> constants_;
  std::vector<Lanes<u32>> r32_;
  std::vector<Lanes<u64>> r64_;
  std::vector<Mask> predicates_;
  Lanes<u32> scratch32_[3];
  u32 at_[kLanes] = {};
  Mask active_;
  bool together_ = true;
  u32 block_ = 0;
  u32 first_thread_ = 0;
  Window window_;
  CUresult fault_ = driver::kSuccess;
};

void Group::Access(const Instruction& i, const Mask& mask) {
  const bool store = i.opcode == Opcode::kStoreGlobal;
  const std::size_t bytes = 4u * i.vector;
  const u64* const address = r64_[i.a.slot].lane;
  for (u32 k = 0; k < kLanes; ++k) {
    if (!mask[k]) continue;
    unsigned char* const host = Resolve(i.opcode, address[k] + static_cast<u64>(i.offset), bytes);
    if (host == nullptr) return;
    for (u32 e = 0; e < i.vector; ++e) {
      u32& element = r32_[i.elements[e]].lane[k];
      if (store) {
        std::memcpy(host + 4 * e, &element, 4);
      } else {
        std::memcpy(&element, host + 4 * e, 4);
      }
    }
  }
}

// A whole group reads from one address, as a rule.
VRAM_CLONES void Group::LoadConstant(const Instruction& i) {
  if (!together_ || i.guarded || i.vector > 1 || !IsUniform(i.a, Width::k64)) return Access(i, Guarded(i));
  const unsigned char* const host = Resolve(i.opcode, r64_[i.a.slot].lane[0] + static_cast<u64>(i.offset), sizeof(u32));
  if (host == nullptr) return;
  u32 value = 0;
  std::memcpy(&value, host, sizeof value);
  Write(i, r32_[i.elements[0]], [=](u32) { return value; });
}

VRAM_CLONES void Group::Compute(const Instruction& i) {
  const Operation& operation = *i.operation;
  const Operand* const operands[] = {&i.a, &i.b, &i.c};
  bool uniform = together_ && !i.guarded;
  for (u32 k = 0; k < operation.operand_count; ++k) uniform = uniform && IsUniform(*operands[k], operation.operands[k]);
  const auto compute = [&](u32 lane) {
    return operation.compute(Value(i.a, operation.operands[0], lane), Value(i.b, operation.operands[1], lane),
                             Value(i.c, operation.operands[2], lane));
  };
  const Mask mask = Guarded(i);
  const u64 of_all = uniform ? compute(0) : 0;
  for (u32 k = 0; k < kLanes; ++k) {
    if (!mask[k]) continue;
    const u64 result = uniform ? of_all : compute(k);
    switch (operation.result) {
      case Width::k32: r32_[i.destination].lane[k] = static_cast<u32>(result); break;
      case Width::k64: r64_[i.destination].lane[k] = result; break;
      case Width::kPredicate: predicates_[i.destination][k] = result != 0; break;
    }
  }
}

VRAM_CLONES u32 Group::RunStraight(u32 from) {
  for (u32 at = from; at < code_.size(); ++at) {
    const Instruction& i = code_[at];
    if (at != from && !together_) {
      // Others may wait here: let Run gather whoever has arrived.
      Arrive(active_, at);
      return kReturned;
    }
    switch (i.opcode) {
      case Opcode::kAdd32:
        Binary32(i, [](u32 a, u32 b) { return a + b; });
        break;
      case Opcode::kXor32:
        Binary32(i, [](u32 a, u32 b) { return a ^ b; });
        break;
      case Opcode::kShr32:
        Binary32(i, [](u32 a, u32 b) { return b > 31 ? 0 : a >> b; });
        break;
      case Opcode::kFunnelRight32: {
        const u32* const low = Fetch(i.a, scratch32_[0]);
        const u32* const high = Fetch(i.b, scratch32_[1]);
        if (i.c.slot == Operand::kConstant) {
          const u32 n = static_cast<u32>(i.c.constant) & 31;
          if (n == 0) {
            Write(i, r32_[i.destination], [=](u32 k) { return low[k]; });
          } else {
            Write(i, r32_[i.destination], [=](u32 k) { return (low[k] >> n) | (high[k] << (32 - n)); });
          }
        } else {
          const u32* const n = r32_[i.c.slot].lane;
          Write(i, r32_[i.destination],
                [=](u32 k) { return static_cast<u32>(((u64{high[k]} << 32) | low[k]) >> (n[k] & 31)); });
        }
        break;
      }
      case Opcode::kLogic3: {
        const u32* const a = Fetch(i.a, scratch32_[0]);
        const u32* const b = Fetch(i.b, scratch32_[1]);
        const u32* const c = Fetch(i.c, scratch32_[2]);
        Lanes<u32>& out = r32_[i.destination];
        switch (i.table) {
          case 0x96: Write(i, out, [=](u32 k) { return a[k] ^ b[k] ^ c[k]; }); break;
          case 0xca: Write(i, out, [=](u32 k) { return c[k] ^ (a[k] & (b[k] ^ c[k])); }); break;
          case 0xe8: Write(i, out, [=](u32 k) { return (a[k] & b[k]) | (c[k] & (a[k] | b[k])); }); break;
          default: Write(i, out, [=, &i](u32 k) { return LogicByTable(a[k], b[k], c[k], i.table); });
        }
        break;
      }
      case Opcode::kPermute: {
        const u32* const a = Fetch(i.a, scratch32_[0]);
        const u32* const b = Fetch(i.b, scratch32_[1]);
        const u32* const c = Fetch(i.c, scratch32_[2]);
        if (i.c.slot == Operand::kConstant && i.c.constant == 0x0123) {
          Write(i, r32_[i.destination], [=](u32 k) { return __builtin_bswap32(a[k]); });
        } else {
          Write(i, r32_[i.destination], [=](u32 k) { return SelectBytes(a[k], b[k], c[k]); });
        }
        break;
      }
      case Opcode::kMove32: {
        const u32* const a = Fetch(i.a, scratch32_[0]);
        Write(i, r32_[i.destination], [=](u32 k) { return a[k]; });
        break;
      }
      case Opcode::kMultiplyAdd32: {
        const u32* const a = Fetch(i.a, scratch32_[0]);
        const u32* const b = Fetch(i.b, scratch32_[1]);
        const u32* const c = Fetch(i.c, scratch32_[2]);
        // The kernel multiplies by one, to have its additions elsewhere.
        if (i.b.slot != Operand::kConstant && HoldsEverywhere(r32_[i.b.slot], 1u)) {
          Write(i, r32_[i.destination], [=](u32 k) { return a[k] + c[k]; });
        } else {
          Write(i, r32_[i.destination], [=](u32 k) { return a[k] * b[k] + c[k]; });
        }
        break;
      }
      case Opcode::kCompute:
        Compute(i);
        break;
      case Opcode::kLoadParam: {
        const u64 parameter = launch_.parameters[i.target];
        if (i.wide) {
          Write(i, r64_[i.destination], [=](u32) { return parameter; });
        } else {
          Write(i, r32_[i.destination], [=](u32) { return static_cast<u32>(parameter); });
        }
        break;
      }
      case Opcode::kReadSpecial:
        Write(i, r32_[i.destination], [&](u32 k) { return Special32(i.special, k); });
        break;
      case Opcode::kLoadConstant:
        LoadConstant(i);
        if (fault_ != driver::kSuccess) return kReturned;
        break;
      case Opcode::kLoadGlobal:
      case Opcode::kStoreGlobal:
        Access(i, Guarded(i));
        if (fault_ != driver::kSuccess) return kReturned;
        break;
      case Opcode::kBranch:
      case Opcode::kReturn:
        return at;
    }
  }
  Arrive(active_, kReturned);
  return kReturned;
}

// A GPU takes no time from the host's processors: the threads that stand in for one step behind everybody else's.
void StepBehind() {
  constexpr int kNiceness = 10;
  constexpr id_t kThisThread = 0;
  setpriority(PRIO_PROCESS, kThisThread, kNiceness);
}

}  // namespace

CUresult Execute(const Launch& launch) {
  const u32 groups_per_block = (launch.threads_per_block + kLanes - 1) / kLanes;
  const u64 groups = u64{launch.blocks} * groups_per_block;
  std::atomic<u64> next{0};
  std::atomic<CUresult> fault{driver::kSuccess};
  const auto work = [&] {
    Group group(launch);
    for (u64 at = next++; at < groups && fault == driver::kSuccess; at = next++) {
      const CUresult result = group.Run(static_cast<u32>(at / groups_per_block), static_cast<u32>(at % groups_per_block) * kLanes);
      if (result != driver::kSuccess) fault = result;
    }
  };
  const u64 wanted = std::min<u64>(std::max(1u, std::thread::hardware_concurrency()), groups);
  std::vector<std::thread> threads;
  for (u64 k = 0; k < wanted; ++k) {
    threads.emplace_back([&work] {
      StepBehind();
      work();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return fault;
}

}  // namespace vram::simulator
