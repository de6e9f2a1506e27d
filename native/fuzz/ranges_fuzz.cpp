// The checked arithmetic against the same in 128 bits, which cannot wrap.
#include <cstdint>
#include <cstring>

#include "device/checked.h"

namespace {

using Wide = unsigned __int128;
constexpr Wide kMost = ~std::uint64_t{0};

void Expect(bool holds) {
  if (!holds) __builtin_trap();
}

void ExpectSame(std::optional<std::uint64_t> checked, Wide exact) {
  Expect(checked.has_value() == (exact <= kMost));
  if (checked) Expect(*checked == exact);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::uint64_t given[3] = {};
  std::memcpy(given, data, size < sizeof given ? size : sizeof given);
  const auto [a, b, c] = given;
  using namespace vram::device;
  ExpectSame(Add(a, b), Wide{a} + b);
  ExpectSame(Multiply(a, b), Wide{a} * b);
  Expect(RangeFits(a, b, c) == (Wide{a} + b <= c));
  if (b == 0) {
    Expect(!RoundUp(a, b));
  } else {
    ExpectSame(RoundUp(a, b), (Wide{a} + b - 1) / b * b);
    Expect(CeilDivide(a, b) == (Wide{a} + b - 1) / b);
  }
  return 0;
}
