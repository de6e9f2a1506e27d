#include <algorithm>
#include <bit>
#include <charconv>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <unordered_map>

#include "definite_assignment.h"
#include "ptx_program.h"
#include "slot_allocation.h"

namespace vram::simulator {
namespace {

struct PtxError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Words of a PTX text: names (with their dots, dollars and percent signs), numbers, and single punctuation characters.
std::vector<std::string_view> Tokenize(std::string_view text) {
  std::vector<std::string_view> tokens;
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '%' || c == '$' || c == '-';
  };
  for (std::size_t i = 0; i < text.size();) {
    if (text.substr(i, 2) == "//") {
      i = std::min(text.find('\n', i), text.size());
    } else if (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
      ++i;
    } else if (is_word(text[i])) {
      std::size_t end = i;
      while (end < text.size() && is_word(text[end])) ++end;
      tokens.push_back(text.substr(i, end - i));
      i = end;
    } else {
      tokens.push_back(text.substr(i++, 1));
    }
  }
  return tokens;
}

// As much as a device has.
constexpr std::size_t kMostConstantBytes = 65536;
constexpr Width kThree32[] = {Width::k32, Width::k32, Width::k32};

// Of `.u32` and its like; a predicate has no such type.
Width WidthOfType(std::string_view type) {
  if (type == ".b32" || type == ".u32" || type == ".s32" || type == ".f32") return Width::k32;
  if (type == ".b64" || type == ".u64" || type == ".s64") return Width::k64;
  throw PtxError("type");
}

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(Tokenize(text)) {}

  std::vector<std::shared_ptr<const Function>> Parse() {
    std::vector<std::shared_ptr<const Function>> functions;
    Expect(".version");
    Next();
    Expect(".target");
    Next();
    while (TryTake(",")) Next();
    Expect(".address_size");
    Expect("64");
    while (!AtEnd()) {
      if (TryTake(".const")) {
        ParseConstants();
        continue;
      }
      Expect(".visible");
      Expect(".entry");
      functions.push_back(ParseFunction());
    }
    return functions;
  }

 private:
  // `.const .align 4 .b8 name[2] = {1, 255};`, before the functions that read it.
  void ParseConstants() {
    Expect(".align");
    const std::uint64_t alignment = Number(Next());
    Expect(".b8");
    const std::string_view name = Next();
    Expect("[");
    const std::uint64_t bytes = Number(Next());
    Expect("]");
    Expect("=");
    Expect("{");
    if (!std::has_single_bit(alignment) || alignment > kMostConstantBytes) throw PtxError("alignment");
    constants_.resize((constants_.size() + alignment - 1) / alignment * alignment);
    if (!symbols_.try_emplace(name, constants_.size()).second) throw PtxError("name twice");
    const std::size_t end = constants_.size() + bytes;
    if (bytes > kMostConstantBytes || end > kMostConstantBytes) throw PtxError("constant bytes");
    while (constants_.size() < end) {
      const std::uint64_t value = Number(Next());
      if (value > 255) throw PtxError("byte");
      constants_.push_back(static_cast<unsigned char>(value));
      if (constants_.size() < end) Expect(",");
    }
    Expect("}");
    Expect(";");
  }

  std::shared_ptr<const Function> ParseFunction() {
    function_ = Function{};
    function_.constants = constants_;
    parameters_.clear();
    widths_.clear();
    labels_.clear();
    registers_.clear();
    branches_.clear();
    function_.name = Next();
    ParseParameters();
    Expect("{");
    while (!TryTake("}")) ParseStatement();
    for (const auto& [index, label] : branches_) {
      const auto found = labels_.find(label);
      if (found == labels_.end()) throw PtxError("label");
      function_.instructions[index].target = found->second;
    }
    if (!ReadsOnlyWhatIsWritten(function_)) throw PtxError("register without a value");
    AllocateSlots(function_);
    return std::make_shared<const Function>(std::move(function_));
  }

  void ParseParameters() {
    Expect("(");
    std::size_t offset = 0;
    while (!TryTake(")")) {
      Expect(".param");
      const std::size_t bytes = WidthOfType(Next()) == Width::k64 ? 8 : 4;
      offset = (offset + bytes - 1) / bytes * bytes;
      parameters_[Next()] = function_.parameter_bytes.size();
      function_.parameter_bytes.push_back(bytes);
      offset += bytes;
      TryTake(",");
    }
  }

  void ParseStatement() {
    if (TryTake(".reg")) return ParseRegisters();
    if (Peek(1) == ":") {
      labels_[Next()] = static_cast<std::uint32_t>(function_.instructions.size());
      Expect(":");
      return;
    }
    Instruction instruction;
    if (TryTake("@")) {
      instruction.guarded = true;
      instruction.guard_negated = TryTake("!");
      instruction.guard = Register(Next(), Width::kPredicate);
    }
    ParseOperation(Next(), instruction);
    Expect(";");
    function_.instructions.push_back(instruction);
  }

  // `.reg .b32 %r<5906>;`
  void ParseRegisters() {
    const Width width = TryTake(".pred") ? Width::kPredicate : WidthOfType(Next());
    widths_[Next()] = width;
    Expect("<");
    Next();
    Expect(">");
    Expect(";");
  }

  void ParseOperation(std::string_view name, Instruction& i) {
    if (name == "lop3.b32") {
      ParseLogic(i);
    } else if (name == "mov.u32" || name == "mov.b32") {
      ParseMove(i);
    } else if (name == "bra" || name == "bra.uni") {
      i.opcode = Opcode::kBranch;
      branches_.emplace_back(function_.instructions.size(), Next());
    } else if (name == "ret") {
      i.opcode = Opcode::kReturn;
    } else if (name.starts_with("ld.param.")) {
      ParseLoadParameter(WidthOfType(name.substr(8)), i);
    } else if (name.starts_with("ld.const.") || name.starts_with("ld.global.")) {
      i.opcode = name.starts_with("ld.const.") ? Opcode::kLoadConstant : Opcode::kLoadGlobal;
      name.remove_prefix(i.opcode == Opcode::kLoadConstant ? 8 : 9);
      if (name.starts_with(".nc.")) name.remove_prefix(3);
      ParseElements(name, i);
      Expect(",");
      ParseAddress(i);
    } else if (name.starts_with("st.global.")) {
      i.opcode = Opcode::kStoreGlobal;
      ParseAddress(i);
      Expect(",");
      ParseElements(name.substr(9), i);
    } else {
      ParseComputation(name, i);
    }
  }

  void ParseComputation(std::string_view name, Instruction& i) {
    static const std::map<std::string_view, Opcode> kOfTheirOwn = {
        {"add.s32", Opcode::kAdd32},
        {"add.u32", Opcode::kAdd32},
        {"xor.b32", Opcode::kXor32},
        {"shr.u32", Opcode::kShr32},
        {"mad.lo.s32", Opcode::kMultiplyAdd32},
        {"mad.lo.u32", Opcode::kMultiplyAdd32},
    };
    if (name == "shf.r.wrap.b32" || name == "prmt.b32") {
      i.opcode = name == "prmt.b32" ? Opcode::kPermute : Opcode::kFunnelRight32;
      return ParseOperands(Width::k32, kThree32, i);
    }
    i.operation = FindOperation(name);
    if (i.operation == nullptr) throw PtxError("opcode");
    const auto found = kOfTheirOwn.find(name);
    i.opcode = found == kOfTheirOwn.end() ? Opcode::kCompute : found->second;
    ParseOperands(i.operation->result, {i.operation->operands, i.operation->operand_count}, i);
  }

  void ParseOperands(Width result, std::span<const Width> operands, Instruction& i) {
    i.destination = Register(Next(), result);
    Operand* const slots[] = {&i.a, &i.b, &i.c};
    for (std::size_t k = 0; k < operands.size(); ++k) {
      Expect(",");
      *slots[k] = ParseOperand(operands[k]);
    }
  }

  void ParseLogic(Instruction& i) {
    i.opcode = Opcode::kLogic3;
    ParseOperands(Width::k32, kThree32, i);
    Expect(",");
    const std::uint64_t table = Number(Next());
    if (table > 255) throw PtxError("table");
    i.table = static_cast<std::uint8_t>(table);
  }

  void ParseLoadParameter(Width width, Instruction& i) {
    i.opcode = Opcode::kLoadParam;
    i.wide = width == Width::k64;
    i.destination = Register(Next(), width);
    Expect(",");
    Expect("[");
    const auto found = parameters_.find(Next());
    if (found == parameters_.end()) throw PtxError("parameter");
    i.target = static_cast<std::uint32_t>(found->second);
    if (function_.parameter_bytes[i.target] != (i.wide ? 8u : 4u)) throw PtxError("parameter width");
    Expect("]");
  }

  void ParseMove(Instruction& i) {
    static const std::map<std::string_view, Special> kSpecials = {{"%tid.x", Special::kThreadX},
                                                                  {"%ntid.x", Special::kThreadsX},
                                                                  {"%ntid.y", Special::kThreadsY},
                                                                  {"%ctaid.x", Special::kBlockX},
                                                                  {"%nctaid.x", Special::kBlocksX}};
    i.destination = Register(Next(), Width::k32);
    Expect(",");
    if (const auto found = kSpecials.find(Peek(0)); found != kSpecials.end()) {
      Next();
      i.opcode = Opcode::kReadSpecial;
      i.special = found->second;
    } else {
      i.opcode = Opcode::kMove32;
      i.a = ParseOperand(Width::k32);
    }
  }

  // `.f32` and one register, `.v2.f32` or `.v4.f32` and a list of them.
  void ParseElements(std::string_view type, Instruction& i) {
    const bool vector = type.starts_with(".v2") || type.starts_with(".v4");
    i.vector = !vector ? 1 : type[2] == '2' ? 2 : 4;
    if (WidthOfType(type.substr(vector ? 3 : 0)) != Width::k32) throw PtxError("element type");
    if (vector) Expect("{");
    for (int k = 0; k < i.vector; ++k) {
      if (k > 0) Expect(",");
      i.elements[k] = Register(Next(), Width::k32);
    }
    if (vector) Expect("}");
  }

  // `[%rd1]` or `[%rd1+16]`
  void ParseAddress(Instruction& i) {
    Expect("[");
    i.a.slot = Register(Next(), Width::k64);
    if (TryTake("+")) i.offset = static_cast<std::int64_t>(Number(Next()));
    Expect("]");
  }

  Operand ParseOperand(Width width) {
    Operand operand;
    const std::string_view token = Next();
    if (token.starts_with("%")) {
      operand.slot = Register(token, width);
    } else if (width == Width::kPredicate) {
      throw PtxError("predicate");
    } else if (const auto symbol = symbols_.find(token); symbol != symbols_.end() && width == Width::k64) {
      operand.constant = symbol->second;
    } else {
      operand.constant = Number(token);
      if (width == Width::k32) operand.constant = static_cast<std::uint32_t>(operand.constant);
    }
    return operand;
  }

  // Registers are numbered per width as they appear; AllocateSlots packs them afterwards.
  std::uint16_t Register(std::string_view name, Width width) {
    const std::size_t digits = name.find_last_not_of("0123456789") + 1;
    const auto declared = widths_.find(name.substr(0, digits));
    if (digits == name.size() || declared == widths_.end() || declared->second != width) throw PtxError("register");
    std::uint16_t& count = width == Width::k32   ? function_.slots32
                           : width == Width::k64 ? function_.slots64
                                                 : function_.predicates;
    const auto [found, added] = registers_.try_emplace(name, count);
    if (added && ++count == Operand::kConstant) throw PtxError("too many registers");
    return found->second;
  }

  // A whole number, or the bits of a float as `0f3F800000`.
  static std::uint64_t Number(std::string_view token) {
    const bool negative = token.starts_with("-");
    if (negative) token.remove_prefix(1);
    const bool is_float = token.starts_with("0f");
    if (is_float && (negative || token.size() != 10)) throw PtxError("float");
    const int base = is_float || token.starts_with("0x") ? 16 : 10;
    if (base == 16) token.remove_prefix(2);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value, base);
    if (error != std::errc() || end != token.data() + token.size()) throw PtxError("number");
    return negative ? std::uint64_t{0} - value : value;
  }

  bool AtEnd() const { return position_ == tokens_.size(); }
  std::string_view Peek(std::size_t ahead) const {
    return position_ + ahead < tokens_.size() ? tokens_[position_ + ahead] : std::string_view();
  }
  std::string_view Next() {
    if (AtEnd()) throw PtxError("unexpected end");
    return tokens_[position_++];
  }
  bool TryTake(std::string_view token) {
    if (Peek(0) != token) return false;
    ++position_;
    return true;
  }
  void Expect(std::string_view token) {
    if (!TryTake(token)) throw PtxError("unexpected token");
  }

  std::vector<std::string_view> tokens_;
  std::size_t position_ = 0;
  std::vector<unsigned char> constants_;
  std::unordered_map<std::string_view, std::uint64_t> symbols_;  // addresses in constant memory
  Function function_;
  std::unordered_map<std::string_view, std::size_t> parameters_;
  std::unordered_map<std::string_view, Width> widths_;
  std::unordered_map<std::string_view, std::uint32_t> labels_;
  std::unordered_map<std::string_view, std::uint16_t> registers_;
  std::vector<std::pair<std::size_t, std::string_view>> branches_;
};

}  // namespace

std::vector<std::shared_ptr<const Function>> ParsePtx(std::string_view text) {
  try {
    return Parser(text).Parse();
  } catch (const PtxError&) {
    return {};
  }
}

}  // namespace vram::simulator
