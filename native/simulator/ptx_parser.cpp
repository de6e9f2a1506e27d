#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <stdexcept>
#include <unordered_map>

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

enum class Width { k32, k64, kPredicate };

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
      Expect(".visible");
      Expect(".entry");
      functions.push_back(ParseFunction());
    }
    return functions;
  }

 private:
  std::shared_ptr<const Function> ParseFunction() {
    function_ = Function{};
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
    AllocateSlots(function_);
    return std::make_shared<const Function>(std::move(function_));
  }

  void ParseParameters() {
    Expect("(");
    std::size_t offset = 0;
    while (!TryTake(")")) {
      Expect(".param");
      const std::string_view type = Next();
      const std::size_t bytes = type == ".u64" || type == ".b64" ? 8 : type == ".u32" || type == ".b32" ? 4 : 0;
      if (bytes == 0) throw PtxError("parameter type");
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
    const std::string_view type = Next();
    const Width width = type == ".pred" ? Width::kPredicate
                        : type == ".b64" || type == ".u64" || type == ".s64" ? Width::k64
                        : type == ".b32" || type == ".u32" || type == ".s32" ? Width::k32
                                                                             : throw PtxError("register type");
    widths_[Next()] = width;
    Expect("<");
    Next();
    Expect(">");
    Expect(";");
  }

  void ParseOperation(std::string_view name, Instruction& i) {
    struct Simple {
      Opcode opcode;
      Width result;
      std::vector<Width> operands;
    };
    static const std::map<std::string_view, Simple> kSimple = {
        {"add.s32", {Opcode::kAdd32, Width::k32, {Width::k32, Width::k32}}},
        {"add.u32", {Opcode::kAdd32, Width::k32, {Width::k32, Width::k32}}},
        {"add.s64", {Opcode::kAdd64, Width::k64, {Width::k64, Width::k64}}},
        {"mad.lo.s32", {Opcode::kMad32, Width::k32, {Width::k32, Width::k32, Width::k32}}},
        {"mul.wide.u32", {Opcode::kMulWide32, Width::k64, {Width::k32, Width::k32}}},
        {"and.b32", {Opcode::kAnd32, Width::k32, {Width::k32, Width::k32}}},
        {"or.b32", {Opcode::kOr32, Width::k32, {Width::k32, Width::k32}}},
        {"xor.b32", {Opcode::kXor32, Width::k32, {Width::k32, Width::k32}}},
        {"shl.b32", {Opcode::kShl32, Width::k32, {Width::k32, Width::k32}}},
        {"shl.b64", {Opcode::kShl64, Width::k64, {Width::k64, Width::k32}}},
        {"shr.u32", {Opcode::kShr32, Width::k32, {Width::k32, Width::k32}}},
        {"shf.r.wrap.b32", {Opcode::kFunnelRight32, Width::k32, {Width::k32, Width::k32, Width::k32}}},
        {"prmt.b32", {Opcode::kPermute, Width::k32, {Width::k32, Width::k32, Width::k32}}},
        {"mov.u64", {Opcode::kMove64, Width::k64, {Width::k64}}},
        {"mov.b64", {Opcode::kMove64, Width::k64, {Width::k64}}},
        {"cvta.to.global.u64", {Opcode::kMove64, Width::k64, {Width::k64}}},
        {"cvt.u64.u32", {Opcode::kWiden32, Width::k64, {Width::k32}}},
    };
    if (const auto found = kSimple.find(name); found != kSimple.end()) {
      const auto& [opcode, result, operands] = found->second;
      i.opcode = opcode;
      i.destination = Register(Next(), result);
      Operand* const slots[] = {&i.a, &i.b, &i.c};
      for (std::size_t k = 0; k < operands.size(); ++k) {
        Expect(",");
        *slots[k] = ParseOperand(operands[k]);
      }
    } else if (name == "lop3.b32") {
      i.opcode = Opcode::kLogic3;
      i.destination = Register(Next(), Width::k32);
      for (Operand* operand : {&i.a, &i.b, &i.c}) {
        Expect(",");
        *operand = ParseOperand(Width::k32);
      }
      Expect(",");
      i.table = static_cast<std::uint8_t>(Number(Next()));
    } else if (name == "mov.u32" || name == "mov.b32") {
      ParseMove(i);
    } else if (name.starts_with("setp.")) {
      ParseSet(name, i);
    } else if (name == "bra" || name == "bra.uni") {
      i.opcode = Opcode::kBranch;
      branches_.emplace_back(function_.instructions.size(), Next());
    } else if (name == "ret") {
      i.opcode = Opcode::kReturn;
    } else if (name == "ld.param.u32" || name == "ld.param.u64") {
      const bool wide = name == "ld.param.u64";
      i.opcode = wide ? Opcode::kLoadParam64 : Opcode::kLoadParam32;
      i.destination = Register(Next(), wide ? Width::k64 : Width::k32);
      Expect(",");
      Expect("[");
      const auto found = parameters_.find(Next());
      if (found == parameters_.end()) throw PtxError("parameter");
      i.target = static_cast<std::uint32_t>(found->second);
      if (function_.parameter_bytes[i.target] != (wide ? 8u : 4u)) throw PtxError("parameter width");
      Expect("]");
    } else if (name == "ld.global.u32" || name == "ld.global.v4.u32") {
      i.opcode = Opcode::kLoadGlobal;
      ParseElements(name == "ld.global.v4.u32", i);
      Expect(",");
      ParseAddress(i);
    } else if (name == "st.global.u32" || name == "st.global.v4.u32") {
      i.opcode = Opcode::kStoreGlobal;
      ParseAddress(i);
      Expect(",");
      ParseElements(name == "st.global.v4.u32", i);
    } else {
      throw PtxError("opcode");
    }
  }

  void ParseMove(Instruction& i) {
    static const std::map<std::string_view, Special> kSpecials = {{"%tid.x", Special::kThreadX},
                                                                  {"%ntid.x", Special::kThreadsX},
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

  // `setp.<comparison>.<type>`
  void ParseSet(std::string_view name, Instruction& i) {
    static const std::map<std::string_view, Comparison> kComparisons = {
        {"eq", Comparison::kEq}, {"ne", Comparison::kNe}, {"lt", Comparison::kLt},
        {"le", Comparison::kLe}, {"gt", Comparison::kGt}, {"ge", Comparison::kGe}};
    const std::size_t dot = name.find('.', 5);
    const auto found = kComparisons.find(name.substr(5, dot - 5));
    const std::string_view type = dot == std::string_view::npos ? "" : name.substr(dot + 1);
    if (found == kComparisons.end()) throw PtxError("comparison");
    if (type != "s32" && type != "u32" && type != "b32" && type != "s64" && type != "u64" && type != "b64")
      throw PtxError("comparison type");
    i.opcode = Opcode::kSet;
    i.comparison = found->second;
    i.wide = type.ends_with("64");
    i.is_signed = type.starts_with("s");
    i.destination = Register(Next(), Width::kPredicate);
    const Width width = i.wide ? Width::k64 : Width::k32;
    Expect(",");
    i.a = ParseOperand(width);
    Expect(",");
    i.b = ParseOperand(width);
  }

  void ParseElements(bool vector, Instruction& i) {
    i.vector = vector ? 4 : 1;
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
    } else {
      operand.constant = Number(token);
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

  static std::uint64_t Number(std::string_view token) {
    const bool negative = token.starts_with("-");
    if (negative) token.remove_prefix(1);
    const int base = token.starts_with("0x") ? 16 : 10;
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
