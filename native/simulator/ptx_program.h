// A PTX entry function, parsed into instructions over a small set of slots.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vram::simulator {

enum class Opcode : std::uint8_t {
  kAdd32,
  kAdd64,
  kMad32,
  kMulWide32,
  kAnd32,
  kOr32,
  kXor32,
  kShl32,
  kShl64,
  kShr32,
  kFunnelRight32,
  kLogic3,
  kPermute,
  kMove32,
  kMove64,
  kWiden32,
  kSet,
  kBranch,
  kReturn,
  kLoadParam32,
  kLoadParam64,
  kLoadGlobal,
  kStoreGlobal,
  kReadSpecial,
};

enum class Comparison : std::uint8_t { kEq, kNe, kLt, kLe, kGt, kGe };
enum class Special : std::uint8_t { kThreadX, kThreadsX, kBlockX, kBlocksX };

// A slot, or a constant where slot is kConstant.
struct Operand {
  static constexpr std::uint16_t kConstant = 0xffff;
  std::uint64_t constant = 0;
  std::uint16_t slot = kConstant;
};

struct Instruction {
  Opcode opcode{};
  Comparison comparison{};
  Special special{};
  bool wide = false;       // 64-bit operands (setp)
  bool is_signed = false;  // signed comparison
  bool guarded = false;
  bool guard_negated = false;
  std::uint8_t vector = 1;  // 32-bit elements of a load or store
  std::uint16_t guard = 0;  // predicate slot
  std::uint16_t destination = 0;
  std::uint16_t elements[4] = {};  // 32-bit slots of a load or store
  std::uint32_t target = 0;        // instruction index (branch), byte offset (parameter)
  std::int64_t offset = 0;         // byte offset of a load or store
  Operand a, b, c;
  std::uint8_t table = 0;  // lop3
};

struct Function {
  std::string name;
  std::vector<std::size_t> parameter_bytes;
  std::vector<Instruction> instructions;
  std::uint16_t slots32 = 0;
  std::uint16_t slots64 = 0;
  std::uint16_t predicates = 0;
};

// The entry functions of a PTX text; empty where it holds anything that the simulator does not execute.
std::vector<std::shared_ptr<const Function>> ParsePtx(std::string_view text);

}  // namespace vram::simulator
