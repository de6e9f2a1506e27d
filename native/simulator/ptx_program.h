// A PTX entry function, parsed into instructions over a small set of slots.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ptx_operations.h"

namespace vram::simulator {

// What the digest's inner loop is made of has opcodes of its own, which the compiler can turn into vectors over the lanes;
// any other computation is kCompute.
enum class Opcode : std::uint8_t {
  kAdd32,
  kXor32,
  kShr32,
  kFunnelRight32,
  kLogic3,
  kPermute,
  kMove32,
  kMultiplyAdd32,
  kCompute,
  kBranch,
  kReturn,
  kLoadParam,
  kLoadConstant,
  kLoadGlobal,
  kStoreGlobal,
  kReadSpecial,
};

enum class Special : std::uint8_t { kThreadX, kThreadsX, kThreadsY, kBlockX, kBlocksX };

// A slot, or a constant where slot is kConstant.
struct Operand {
  static constexpr std::uint16_t kConstant = 0xffff;
  std::uint64_t constant = 0;
  std::uint16_t slot = kConstant;
};

struct Instruction {
  Opcode opcode{};
  Special special{};
  bool wide = false;  // a 64-bit parameter
  bool guarded = false;
  bool guard_negated = false;
  std::uint8_t vector = 1;  // 32-bit elements of a load or store
  std::uint16_t guard = 0;  // predicate slot
  std::uint16_t destination = 0;
  std::uint16_t elements[4] = {};  // 32-bit slots of a load or store
  std::uint32_t target = 0;        // instruction index (branch), byte offset (parameter)
  std::int64_t offset = 0;         // byte offset of a load or store
  Operand a, b, c;
  const Operation* operation = nullptr;  // of kCompute
  std::uint8_t table = 0;  // lop3
};

struct Function {
  std::string name;
  std::vector<unsigned char> constants;  // the module's constant memory, whose addresses begin at 0
  std::vector<std::size_t> parameter_bytes;
  std::vector<Instruction> instructions;
  std::uint16_t slots32 = 0;
  std::uint16_t slots64 = 0;
  std::uint16_t predicates = 0;
};

// The entry functions of a PTX text; empty where it holds anything that the simulator does not execute.
std::vector<std::shared_ptr<const Function>> ParsePtx(std::string_view text);

}  // namespace vram::simulator
