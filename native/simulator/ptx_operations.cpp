#include "ptx_operations.h"

#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <type_traits>

namespace vram::simulator {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

static_assert(std::numeric_limits<float>::is_iec559 && FLT_EVAL_METHOD == 0);

// A value of a PTX type in the low bits of a slot.
template <typename T>
T From(u64 bits) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(static_cast<u32>(bits));
  } else {
    return static_cast<T>(bits);
  }
}

constexpr u64 kNan = 0x7fffffff;

template <typename T>
u64 Bits(T value) {
  if constexpr (std::is_same_v<T, float>) {
    return std::isnan(value) ? kNan : std::bit_cast<u32>(value);
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<u32>(value);
  } else {
    return static_cast<u64>(value);
  }
}

template <typename T>
constexpr Width WidthOf() {
  if constexpr (std::is_same_v<T, bool>) return Width::kPredicate;
  return sizeof(T) == 4 ? Width::k32 : Width::k64;
}

template <typename To, typename T, auto kFunction>
constexpr Operation Unary() {
  return {[](u64 a, u64, u64) { return Bits<To>(kFunction(From<T>(a))); }, WidthOf<To>(), 1, {WidthOf<T>()}};
}

template <typename To, typename T, typename U, auto kFunction>
constexpr Operation Binary() {
  return {[](u64 a, u64 b, u64) { return Bits<To>(kFunction(From<T>(a), From<U>(b))); },
          WidthOf<To>(), 2, {WidthOf<T>(), WidthOf<U>()}};
}

template <typename To, typename T, typename V, auto kFunction>
constexpr Operation Ternary() {
  return {[](u64 a, u64 b, u64 c) { return Bits<To>(kFunction(From<T>(a), From<T>(b), From<V>(c))); },
          WidthOf<To>(), 3, {WidthOf<T>(), WidthOf<T>(), WidthOf<V>()}};
}

constexpr auto kAdd = [](auto a, auto b) { return a + b; };
constexpr auto kSubtract = [](auto a, auto b) { return a - b; };
constexpr auto kMultiply = [](auto a, auto b) { return a * b; };
constexpr auto kDivide = [](auto a, auto b) { return a / b; };
constexpr auto kMultiplyAdd = [](auto a, auto b, auto c) { return a * b + c; };
constexpr auto kAnd = [](auto a, auto b) { return a & b; };
constexpr auto kOr = [](auto a, auto b) { return a | b; };
constexpr auto kXor = [](auto a, auto b) { return a ^ b; };
constexpr auto kNot = [](auto a) { return ~a; };
constexpr auto kLogicalNot = [](bool a) { return !a; };
constexpr auto kNegate = [](auto a) { return -a; };
constexpr auto kFirstIf = [](auto a, auto b, bool c) { return c ? a : b; };
constexpr auto kFusedMultiplyAdd = [](float a, float b, float c) { return std::fmaf(a, b, c); };
constexpr auto kSquareRoot = [](float a) { return std::sqrt(a); };
constexpr auto kAbsolute = [](float a) { return std::fabs(a); };

// -0 is below +0, and a NaN yields to the other operand.
constexpr auto kFloatMinimum = [](float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) ? b : a;
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
};
constexpr auto kFloatMaximum = [](float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) ? b : a;
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
};
constexpr auto kMinimum = [](auto a, auto b) { return a < b ? a : b; };
constexpr auto kMaximum = [](auto a, auto b) { return a > b ? a : b; };

// Shifting by the width or more leaves nothing, or copies of the sign.
constexpr auto kShiftLeft = [](auto a, u32 b) { return b < 8 * sizeof a ? a << b : 0; };
constexpr auto kShiftRight = [](auto a, u32 b) {
  constexpr u32 kBits = 8 * sizeof a;
  if constexpr (std::is_signed_v<decltype(a)>) return a >> (b < kBits ? b : kBits - 1);
  else return b < kBits ? a >> b : 0;
};

template <typename T>
constexpr auto kWide = [](auto a, auto b) { return T{a} * T{b}; };
constexpr auto kWideAdd = [](u64 a, u64 b, u64 c) { return a * b + c; };

template <typename T>
constexpr auto kConvert = [](auto a) { return static_cast<T>(a); };
// Towards zero, into the range of the type; a NaN becomes 0.
template <typename T>
constexpr auto kTruncate = [](float a) -> T {
  constexpr T kLeast = std::numeric_limits<T>::min();
  constexpr T kMost = std::numeric_limits<T>::max();
  if (std::isnan(a)) return 0;
  const double value = std::trunc(static_cast<double>(a));
  if (value <= static_cast<double>(kLeast)) return kLeast;
  return value >= static_cast<double>(kMost) ? kMost : static_cast<T>(value);
};

constexpr auto kEqual = [](auto a, auto b) { return a == b; };
constexpr auto kNotEqual = [](auto a, auto b) { return a != b; };
constexpr auto kLess = [](auto a, auto b) { return a < b; };
constexpr auto kLessOrEqual = [](auto a, auto b) { return a <= b; };
constexpr auto kGreater = [](auto a, auto b) { return a > b; };
constexpr auto kGreaterOrEqual = [](auto a, auto b) { return a >= b; };
constexpr auto kUnordered = [](float a, float b) { return std::isnan(a) || std::isnan(b); };
constexpr auto kOrdered = [](float a, float b) { return !kUnordered(a, b); };
constexpr auto kOrderedNotEqual = [](float a, float b) { return kOrdered(a, b) && a != b; };

// A comparison that also holds where an operand is a NaN.
template <auto kFunction>
constexpr auto kOrUnordered = [](float a, float b) { return kUnordered(a, b) || kFunction(a, b); };

template <typename T, auto kFunction>
constexpr Operation Binary() {
  return Binary<T, T, T, kFunction>();
}

template <typename T>
constexpr Operation Move() {
  return {[](u64 a, u64, u64) { return a; }, WidthOf<T>(), 1, {WidthOf<T>()}};
}

using Table = std::map<std::string, Operation, std::less<>>;

template <typename T>
void AddComparisons(Table& table, const std::string& type) {
  table["setp.eq." + type] = Binary<bool, T, T, kEqual>();
  table["setp.ne." + type] = Binary<bool, T, T, kNotEqual>();
  table["setp.lt." + type] = Binary<bool, T, T, kLess>();
  table["setp.le." + type] = Binary<bool, T, T, kLessOrEqual>();
  table["setp.gt." + type] = Binary<bool, T, T, kGreater>();
  table["setp.ge." + type] = Binary<bool, T, T, kGreaterOrEqual>();
}

// A comparison with a NaN does not hold, unless its name ends in u.
void AddFloatComparisons(Table& table) {
  AddComparisons<float>(table, "f32");
  table["setp.ne.f32"] = Binary<bool, float, float, kOrderedNotEqual>();
  table["setp.equ.f32"] = Binary<bool, float, float, kOrUnordered<kEqual>>();
  table["setp.neu.f32"] = Binary<bool, float, float, kOrUnordered<kNotEqual>>();
  table["setp.ltu.f32"] = Binary<bool, float, float, kOrUnordered<kLess>>();
  table["setp.leu.f32"] = Binary<bool, float, float, kOrUnordered<kLessOrEqual>>();
  table["setp.gtu.f32"] = Binary<bool, float, float, kOrUnordered<kGreater>>();
  table["setp.geu.f32"] = Binary<bool, float, float, kOrUnordered<kGreaterOrEqual>>();
  table["setp.num.f32"] = Binary<bool, float, float, kOrdered>();
  table["setp.nan.f32"] = Binary<bool, float, float, kUnordered>();
}

// The same bits for signed and unsigned integers, which keeps overflow defined.
template <typename T>
void AddModular(Table& table, const std::string& type) {
  table["add." + type] = Binary<T, kAdd>();
  table["sub." + type] = Binary<T, kSubtract>();
  table["mul.lo." + type] = Binary<T, kMultiply>();
  table["mad.lo." + type] = Ternary<T, T, T, kMultiplyAdd>();
}

template <typename T>
void AddBits(Table& table, const std::string& bits) {
  table["and.b" + bits] = Binary<T, kAnd>();
  table["or.b" + bits] = Binary<T, kOr>();
  table["xor.b" + bits] = Binary<T, kXor>();
  table["not.b" + bits] = Unary<T, T, kNot>();
  table["shl.b" + bits] = Binary<T, T, u32, kShiftLeft>();
  table["shr.u" + bits] = Binary<T, T, u32, kShiftRight>();
  table["neg.s" + bits] = Unary<T, T, kNegate>();
  table["setp.eq.b" + bits] = Binary<bool, T, T, kEqual>();
  table["setp.ne.b" + bits] = Binary<bool, T, T, kNotEqual>();
  for (const char* const type : {"b", "u", "s", "f"}) {
    if (type[0] == 'f' && sizeof(T) == 8) continue;
    table["mov." + (type + bits)] = Move<T>();
    table["selp." + (type + bits)] = Ternary<T, T, bool, kFirstIf>();
  }
}

template <typename T>
void AddOrder(Table& table, const std::string& type) {
  AddComparisons<T>(table, type);
  table["min." + type] = Binary<T, kMinimum>();
  table["max." + type] = Binary<T, kMaximum>();
}

void AddFloats(Table& table) {
  table["add.rn.f32"] = Binary<float, kAdd>();
  table["sub.rn.f32"] = Binary<float, kSubtract>();
  table["mul.rn.f32"] = Binary<float, kMultiply>();
  table["div.rn.f32"] = Binary<float, kDivide>();
  table["fma.rn.f32"] = Ternary<float, float, float, kFusedMultiplyAdd>();
  table["sqrt.rn.f32"] = Unary<float, float, kSquareRoot>();
  table["neg.f32"] = Unary<float, float, kNegate>();
  table["abs.f32"] = Unary<float, float, kAbsolute>();
  table["min.f32"] = Binary<float, kFloatMinimum>();
  table["max.f32"] = Binary<float, kFloatMaximum>();
  table["cvt.rn.f32.s32"] = Unary<float, s32, kConvert<float>>();
  table["cvt.rn.f32.u32"] = Unary<float, u32, kConvert<float>>();
  table["cvt.rzi.s32.f32"] = Unary<s32, float, kTruncate<s32>>();
  table["cvt.rzi.u32.f32"] = Unary<u32, float, kTruncate<u32>>();
  AddFloatComparisons(table);
}

Table MakeTable() {
  Table table;
  for (const char* const type : {"s32", "u32"}) AddModular<u32>(table, type);
  for (const char* const type : {"s64", "u64"}) AddModular<u64>(table, type);
  AddBits<u32>(table, "32");
  AddBits<u64>(table, "64");
  AddOrder<s32>(table, "s32");
  AddOrder<u32>(table, "u32");
  AddOrder<s64>(table, "s64");
  AddOrder<u64>(table, "u64");
  AddFloats(table);
  table["shr.s32"] = Binary<s32, s32, u32, kShiftRight>();
  table["shr.s64"] = Binary<s64, s64, u32, kShiftRight>();
  table["mul.wide.u32"] = Binary<u64, u32, u32, kWide<u64>>();
  table["mul.wide.s32"] = Binary<s64, s32, s32, kWide<s64>>();
  table["mad.wide.u32"] = Ternary<u64, u32, u64, kWideAdd>();
  table["cvt.u64.u32"] = Unary<u64, u32, kConvert<u64>>();
  table["cvt.s64.s32"] = Unary<s64, s32, kConvert<s64>>();
  table["cvt.u32.u64"] = Unary<u32, u64, kConvert<u32>>();
  table["cvta.to.global.u64"] = Move<u64>();
  table["and.pred"] = Binary<bool, kAnd>();
  table["or.pred"] = Binary<bool, kOr>();
  table["xor.pred"] = Binary<bool, kXor>();
  table["not.pred"] = Unary<bool, bool, kLogicalNot>();
  table["mov.pred"] = Move<bool>();
  return table;
}

}  // namespace

const Operation* FindOperation(std::string_view name) {
  static const Table kTable = MakeTable();
  const auto found = kTable.find(name);
  return found == kTable.end() ? nullptr : &found->second;
}

}  // namespace vram::simulator
