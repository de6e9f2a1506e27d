#include "device/checked.h"

#include <limits>

#include "test/harness.h"

using namespace vram::device;

namespace {
constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
}

TEST("BO-4 test_allocation_overflow_prevented: rounding up near 2^64 is refused") {
  EXPECT(RoundUp(kMax, 1) == kMax);
  EXPECT(!RoundUp(kMax, 2097152));
  EXPECT(RoundUp(kMax - 2097151, 2097152) == kMax - 2097151);
  EXPECT(!RoundUp(kMax - 2097150, 2097152));
  EXPECT(RoundUp(1, 2097152) == 2097152U);
  EXPECT(RoundUp(2097152, 2097152) == 2097152U);
  EXPECT(!RoundUp(1, 0));
}

TEST("IO-1 test_integer_overflow_prevented: sums and products beyond 64 bits are refused") {
  EXPECT(Add(kMax - 1, 1) == kMax);
  EXPECT(!Add(kMax, 1));
  EXPECT(Multiply(kMax / 2, 2) == kMax - 1);
  EXPECT(!Multiply(kMax / 2 + 1, 2));
}

TEST("IO-4 test_offset_overflow_prevented: an offset whose end wraps does not fit") {
  EXPECT(RangeFits(1000, 24, 1024));
  EXPECT(RangeFits(1024, 0, 1024));
  EXPECT(RangeFits(0, 0, 1024));
  EXPECT(!RangeFits(1000, 25, 1024));
  EXPECT(!RangeFits(1024, 1, 1024));
  EXPECT(!RangeFits(0, 1025, 1024));
  EXPECT(!RangeFits(std::uint64_t{1} << 53, 1, 1024));
  EXPECT(!RangeFits(kMax, 1, 1024));
  EXPECT(!RangeFits(1, kMax, 1024));
}

TEST("CeilDivide covers the whole value without wrapping") {
  EXPECT_EQUAL(CeilDivide(0, 4096), 0U);
  EXPECT_EQUAL(CeilDivide(4097, 4096), 2U);
  EXPECT_EQUAL(CeilDivide(kMax, 4096), (std::uint64_t{1} << 52));
}
