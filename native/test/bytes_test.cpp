#include "ops/bytes.h"

#include <array>

#include "test/rig.h"

using namespace vram;
using namespace vram::test;

TEST("CI-003 digests are compared over their whole length") {
  std::array<std::byte, 32> a = {};
  std::array<std::byte, 32> b = {};
  EXPECT(ops::ConstantTimeEqual(a, b));
  for (std::size_t byte = 0; byte < a.size(); ++byte) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      b = a;
      b[byte] ^= static_cast<std::byte>(1U << bit);
      EXPECT(!ops::ConstantTimeEqual(a, b));
    }
  }
  EXPECT(!ops::ConstantTimeEqual(a, std::span(a).first(31)));
}

TEST("Random bytes are filled to the end and differ from call to call") {
  std::vector<std::byte> a(100'000);
  std::vector<std::byte> b(100'000);
  Must(ops::FillRandom(a));
  Must(ops::FillRandom(b));
  EXPECT(a != b);
  const auto tail = std::span(a).last(64);
  EXPECT(std::vector<std::byte>(tail.begin(), tail.end()) != std::vector<std::byte>(64));
}

TEST("Hexadecimal text has two lower-case digits a byte") {
  const std::array bytes = {std::byte{0}, std::byte{0xAF}, std::byte{0x10}};
  EXPECT_EQUAL(ops::Hex(bytes), std::string("00af10"));
}
