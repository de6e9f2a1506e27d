// Every operation of the interpreter against the host's own arithmetic.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <string>

#include "simulator/ptx_interpreter.h"
#include "test/harness.h"

namespace {

using namespace vram::simulator;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr CUdeviceptr kInput = 0x10000000;
constexpr CUdeviceptr kOutput = 0x7000000000;
constexpr u32 kThreads = 200;  // more than one group, the last one partly filled

std::string Kernel(const std::string& body) {
  return R"(.version 6.0
.target sm_60
.address_size 64
.visible .entry k(.param .u64 in, .param .u64 out)
{
  .reg .pred %p<4>; .reg .b32 %r<40>; .reg .f32 %f<20>; .reg .b64 %rd<20>;
  ld.param.u64 %rd1, [in];
  ld.param.u64 %rd2, [out];
  cvta.to.global.u64 %rd1, %rd1;
  mov.u32 %r1, %tid.x;
  mul.wide.u32 %rd3, %r1, 16;
  add.s64 %rd4, %rd1, %rd3;
  add.s64 %rd5, %rd2, %rd3;
  ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd4];
)" + body + R"(
  st.global.u32 [%rd5], %r10;
  ret;
})";
}

struct Row {
  u32 a, b, c, d;
};

std::vector<Row> RandomRows() {
  std::mt19937 random(7);
  std::vector<Row> rows(kThreads);
  const auto next = [&random] { return static_cast<u32>(random()); };
  for (Row& row : rows) row = {next(), next(), next(), next()};
  rows[0] = {0, 0, 0, 0};
  rows[1] = {0xffffffffu, 0xffffffffu, 0xffffffffu, 31};
  rows[2] = {0x80000000u, 1, 0x7fffffffu, 32};
  return rows;
}

struct Run {
  CUresult result;
  std::vector<Row> output;
};

Run RunKernel(const std::string& body, std::vector<Row> rows, bool writable = true) {
  const auto functions = ParsePtx(Kernel(body));
  EXPECT(functions.size() == 1);
  Run run{0, std::vector<Row>(rows.size())};
  Launch launch;
  launch.function = functions[0].get();
  launch.blocks = 1;
  launch.threads_per_block = static_cast<u32>(rows.size());
  launch.parameters = {kInput, kOutput};
  launch.memory = {{kInput, rows.size() * sizeof(Row), reinterpret_cast<unsigned char*>(rows.data()), false},
                   {kOutput, rows.size() * sizeof(Row), reinterpret_cast<unsigned char*>(run.output.data()), writable}};
  run.result = Execute(launch);
  return run;
}

void ExpectComputes(const std::string& body, const std::function<u32(const Row&, u32)>& expected,
                    const std::vector<Row>& rows = RandomRows()) {
  const Run run = RunKernel(body, rows);
  EXPECT_EQUAL(run.result, 0);
  for (u32 k = 0; k < rows.size(); ++k) EXPECT_EQUAL(run.output[k].a, expected(rows[k], k));
}

u32 Shift(u32 n, u32 shifted) { return n > 31 ? 0 : shifted; }

TEST("interpreter: 32-bit arithmetic and logic") {
  ExpectComputes("add.s32 %r10, %r2, %r3;", [](const Row& r, u32) { return r.a + r.b; });
  ExpectComputes("add.s32 %r10, %r2, -7;", [](const Row& r, u32) { return r.a - 7; });
  ExpectComputes("mad.lo.s32 %r10, %r2, %r3, %r4;", [](const Row& r, u32) { return r.a * r.b + r.c; });
  ExpectComputes("and.b32 %r10, %r2, %r3;", [](const Row& r, u32) { return r.a & r.b; });
  ExpectComputes("or.b32 %r10, %r2, 255;", [](const Row& r, u32) { return r.a | 255; });
  ExpectComputes("xor.b32 %r10, %r2, %r3;", [](const Row& r, u32) { return r.a ^ r.b; });
  ExpectComputes("mov.u32 %r10, -2;", [](const Row&, u32) { return 0xfffffffeu; });
}

TEST("interpreter: shifts, also by 32 and more") {
  ExpectComputes("shr.u32 %r10, %r2, 7;", [](const Row& r, u32) { return r.a >> 7; });
  ExpectComputes("shr.u32 %r10, %r2, %r5;", [](const Row& r, u32) { return Shift(r.d, r.a >> (r.d & 31)); });
  ExpectComputes("shl.b32 %r10, %r2, 32;", [](const Row&, u32) { return 0u; });
  for (const u32 n : {0u, 1u, 19u, 31u, 32u, 33u}) {
    ExpectComputes("shf.r.wrap.b32 %r10, %r2, %r3, " + std::to_string(n) + ";", [n](const Row& r, u32) {
      return static_cast<u32>(((u64{r.b} << 32) | r.a) >> (n & 31));
    });
  }
  ExpectComputes("shf.r.wrap.b32 %r10, %r2, %r3, %r5;",
                 [](const Row& r, u32) { return static_cast<u32>(((u64{r.b} << 32) | r.a) >> (r.d & 31)); });
}

TEST("interpreter: lop3 with every truth table") {
  for (u32 table = 0; table < 256; ++table) {
    ExpectComputes("lop3.b32 %r10, %r2, %r3, %r4, " + std::to_string(table) + ";", [table](const Row& r, u32) {
      u32 result = 0;
      for (u32 bit = 0; bit < 32; ++bit) {
        const u32 index = ((r.a >> bit & 1) << 2) | ((r.b >> bit & 1) << 1) | (r.c >> bit & 1);
        result |= (table >> index & 1) << bit;
      }
      return result;
    });
  }
}

TEST("interpreter: prmt selects bytes of both words and replicates signs") {
  ExpectComputes("prmt.b32 %r10, %r2, 0, 0x0123;", [](const Row& r, u32) { return __builtin_bswap32(r.a); });
  for (const u32 selector : {0x3210u, 0x7654u, 0x0426u, 0x89abu, 0xcdefu, 0x4a1fu}) {
    ExpectComputes("prmt.b32 %r10, %r2, %r3, " + std::to_string(selector) + ";", [selector](const Row& r, u32) {
      u32 result = 0;
      for (u32 k = 0; k < 4; ++k) {
        const u32 pick = selector >> (4 * k) & 15;
        const u32 word = (pick & 4) ? r.b : r.a;
        u32 byte = word >> (8 * (pick & 3)) & 255;
        if (pick & 8) byte = byte & 128 ? 255 : 0;
        result |= byte << (8 * k);
      }
      return result;
    });
  }
}

TEST("interpreter: 64-bit arithmetic, seen through equality with what the host computes") {
  // %rd6 = thread number; one thread in each kernel has the wanted value.
  const auto equals = [](const std::string& compute, u64 wanted, u32 thread) {
    ExpectComputes("cvt.u64.u32 %rd6, %r1; " + compute + " setp.eq.s64 %p1, %rd7, " + std::to_string(wanted) +
                       "; mov.u32 %r10, 0; @%p1 mov.u32 %r10, 1;",
                   [thread](const Row&, u32 k) { return k == thread ? 1u : 0u; });
  };
  equals("add.s64 %rd7, %rd6, -1;", u64{0} - 1, 0);
  equals("add.s64 %rd7, %rd6, 4294967295;", 4294967300u, 5);
  equals("shl.b64 %rd7, %rd6, 40;", u64{3} << 40, 3);
  equals("mul.wide.u32 %rd7, %r1, 4294967295;", u64{9} * 0xffffffffu, 9);
  equals("mov.u64 %rd7, %rd6;", 77, 77);
}

TEST("interpreter: comparisons of both widths and signs") {
  const auto compares = [](const std::string& name, const std::function<bool(u32, u32)>& expected) {
    ExpectComputes("setp." + name + " %p1, %r2, %r3; mov.u32 %r10, 0; @%p1 mov.u32 %r10, 1; @!%p1 add.s32 %r10, %r10, 2;",
                   [&](const Row& r, u32) { return expected(r.a, r.b) ? 1u : 2u; });
  };
  compares("eq.s32", [](u32 a, u32 b) { return a == b; });
  compares("ne.s32", [](u32 a, u32 b) { return a != b; });
  compares("lt.u32", [](u32 a, u32 b) { return a < b; });
  compares("lt.s32", [](u32 a, u32 b) { return static_cast<int>(a) < static_cast<int>(b); });
  compares("le.u32", [](u32 a, u32 b) { return a <= b; });
  compares("gt.s32", [](u32 a, u32 b) { return static_cast<int>(a) > static_cast<int>(b); });
  compares("ge.u32", [](u32 a, u32 b) { return a >= b; });
}

TEST("interpreter: integers of both widths and signs") {
  using s32 = std::int32_t;
  using s64 = std::int64_t;
  const auto is = [](const char* body, auto expected) {
    ExpectComputes(body, [=](const Row& r, u32) { return static_cast<u32>(expected(r)); });
  };
  is("sub.s32 %r10, %r2, %r3;", [](const Row& r) { return r.a - r.b; });
  is("mul.lo.s32 %r10, %r2, %r3;", [](const Row& r) { return r.a * r.b; });
  is("neg.s32 %r10, %r2;", [](const Row& r) { return 0 - r.a; });
  is("not.b32 %r10, %r2;", [](const Row& r) { return ~r.a; });
  is("shl.b32 %r10, %r2, %r5;", [](const Row& r) { return Shift(r.d, r.a << (r.d & 31)); });
  is("shr.s32 %r10, %r2, %r5;", [](const Row& r) { return static_cast<s32>(r.a) >> (r.d > 31 ? 31 : r.d); });
  is("min.s32 %r10, %r2, %r3;", [](const Row& r) { return std::min(static_cast<s32>(r.a), static_cast<s32>(r.b)); });
  is("max.s32 %r10, %r2, %r3;", [](const Row& r) { return std::max(static_cast<s32>(r.a), static_cast<s32>(r.b)); });
  is("min.u32 %r10, %r2, %r3;", [](const Row& r) { return std::min(r.a, r.b); });
  is("max.u32 %r10, %r2, %r3;", [](const Row& r) { return std::max(r.a, r.b); });

  // 64-bit results, folded to 32 bits; %rd6 and %rd7 are made of all four inputs.
  const auto is64 = [](const std::string& body, auto expected) {
    ExpectComputes(
        "cvt.u64.u32 %rd6, %r2; shl.b64 %rd6, %rd6, 32; cvt.u64.u32 %rd8, %r3; or.b64 %rd6, %rd6, %rd8;"
        "cvt.u64.u32 %rd7, %r4; shl.b64 %rd7, %rd7, 32; cvt.u64.u32 %rd8, %r5; xor.b64 %rd7, %rd7, %rd8;" +
            body + "cvt.u32.u64 %r10, %rd9; shr.u64 %rd9, %rd9, 32; cvt.u32.u64 %r11, %rd9; xor.b32 %r10, %r10, %r11;",
        [=](const Row& r, u32) {
          const u64 value = static_cast<u64>(expected((u64{r.a} << 32) | r.b, (u64{r.c} << 32) ^ r.d, r));
          return static_cast<u32>(value) ^ static_cast<u32>(value >> 32);
        });
  };
  is64("add.u64 %rd9, %rd6, %rd7;", [](u64 a, u64 b, const Row&) { return a + b; });
  is64("sub.s64 %rd9, %rd6, %rd7;", [](u64 a, u64 b, const Row&) { return a - b; });
  is64("mul.lo.s64 %rd9, %rd6, %rd7;", [](u64 a, u64 b, const Row&) { return a * b; });
  is64("mad.lo.s64 %rd9, %rd6, %rd7, 77;", [](u64 a, u64 b, const Row&) { return a * b + 77; });
  is64("and.b64 %rd9, %rd6, %rd7;", [](u64 a, u64 b, const Row&) { return a & b; });
  is64("not.b64 %rd9, %rd6;", [](u64 a, u64, const Row&) { return ~a; });
  is64("neg.s64 %rd9, %rd6;", [](u64 a, u64, const Row&) { return 0 - a; });
  is64("shr.u64 %rd9, %rd6, 13;", [](u64 a, u64, const Row&) { return a >> 13; });
  is64("shr.s64 %rd9, %rd6, 13;", [](u64 a, u64, const Row&) { return static_cast<s64>(a) >> 13; });
  is64("shr.s64 %rd9, %rd6, 64;", [](u64 a, u64, const Row&) { return static_cast<s64>(a) >> 63; });
  is64("shl.b64 %rd9, %rd6, 64;", [](u64, u64, const Row&) { return 0; });
  is64("min.u64 %rd9, %rd6, %rd7;", [](u64 a, u64 b, const Row&) { return std::min(a, b); });
  is64("max.s64 %rd9, %rd6, %rd7;", [](u64 a, u64 b, const Row&) { return std::max(static_cast<s64>(a), static_cast<s64>(b)); });
  is64("mul.wide.u32 %rd9, %r2, %r3;", [](u64, u64, const Row& r) { return u64{r.a} * r.b; });
  is64("mul.wide.s32 %rd9, %r2, %r3;",
       [](u64, u64, const Row& r) { return s64{static_cast<s32>(r.a)} * static_cast<s32>(r.b); });
  is64("mad.wide.u32 %rd9, %r2, %r3, %rd7;", [](u64, u64 b, const Row& r) { return u64{r.a} * r.b + b; });
  is64("cvt.s64.s32 %rd9, %r2;", [](u64, u64, const Row& r) { return s64{static_cast<s32>(r.a)}; });
}

TEST("interpreter: predicates combine, and select") {
  const auto selects = [](const std::string& combine, auto expected) {
    ExpectComputes("setp.lt.u32 %p1, %r2, %r3; setp.lt.u32 %p2, %r3, %r4;" + combine + "selp.b32 %r10, %r4, 5, %p3;",
                   [=](const Row& r, u32) { return expected(r.a < r.b, r.b < r.c) ? r.c : 5; });
  };
  selects("and.pred %p3, %p1, %p2;", [](bool a, bool b) { return a && b; });
  selects("or.pred %p3, %p1, %p2;", [](bool a, bool b) { return a || b; });
  selects("xor.pred %p3, %p1, %p2;", [](bool a, bool b) { return a != b; });
  selects("not.pred %p3, %p1;", [](bool a, bool) { return !a; });
  selects("mov.pred %p3, %p2;", [](bool, bool b) { return b; });
}

// Every pair of values at which float arithmetic changes its ways, with a third and a fourth, then random bits.
std::vector<Row> FloatRows() {
  constexpr u32 kEdges[] = {0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x3f800000, 0xbf800000,
                            0x3f800001, 0x33800000, 0x4b800000, 0x4b800001, 0x4f000000, 0xcf000000, 0x4f800000, 0x3f000000,
                            0xbf000000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001};
  std::mt19937 random(11);
  const auto next = [&random] { return static_cast<u32>(random()); };
  std::vector<Row> rows;
  for (const u32 a : kEdges) {
    for (const u32 b : kEdges) rows.push_back({a, b, kEdges[next() % std::size(kEdges)], next()});
  }
  while (rows.size() < 1024) {
    // Near exponents, so that sums round and products do not all leave the range.
    const u32 exponent = (100 + next() % 50) << 23;
    const auto near = [&] { return (next() & 0x80ffffff) ^ exponent; };
    rows.push_back({near(), near(), near(), next()});
  }
  return rows;
}

float Float(u32 bits) { return std::bit_cast<float>(bits); }
u32 FloatBits(float value) { return std::isnan(value) ? 0x7fffffff : std::bit_cast<u32>(value); }

void ExpectFloat(const std::string& body, const std::function<float(float, float, float)>& expected) {
  ExpectComputes(
      "mov.b32 %f1, %r2; mov.b32 %f2, %r3; mov.b32 %f3, %r4;" + body + "mov.b32 %r10, %f9;",
      [&](const Row& r, u32) { return FloatBits(expected(Float(r.a), Float(r.b), Float(r.c))); }, FloatRows());
}

TEST("interpreter: floats, bit for bit the host's") {
  ExpectFloat("add.rn.f32 %f9, %f1, %f2;", [](float a, float b, float) { return a + b; });
  ExpectFloat("add.rn.f32 %f9, %f1, 0f3F800000;", [](float a, float, float) { return a + 1.0f; });
  ExpectFloat("sub.rn.f32 %f9, %f1, %f2;", [](float a, float b, float) { return a - b; });
  ExpectFloat("mul.rn.f32 %f9, %f1, %f2;", [](float a, float b, float) { return a * b; });
  ExpectFloat("div.rn.f32 %f9, %f1, %f2;", [](float a, float b, float) { return a / b; });
  ExpectFloat("fma.rn.f32 %f9, %f1, %f2, %f3;", [](float a, float b, float c) { return std::fma(a, b, c); });
  ExpectFloat("sqrt.rn.f32 %f9, %f1;", [](float a, float, float) { return std::sqrt(a); });
  ExpectFloat("neg.f32 %f9, %f1;", [](float a, float, float) { return -a; });
  ExpectFloat("abs.f32 %f9, %f1;", [](float a, float, float) { return std::fabs(a); });
}

TEST("interpreter: a product and a sum are rounded each, never fused") {
  ExpectFloat("mul.rn.f32 %f4, %f1, %f2; add.rn.f32 %f9, %f4, %f3;", [](float a, float b, float c) {
    volatile float product = a * b;
    return product + c;
  });
}

TEST("interpreter: the lesser and the greater float: NaN yields, -0 is less than +0") {
  const auto key = [](float value) { return static_cast<std::int64_t>(std::signbit(value) ? -1 : 1) * (std::bit_cast<u32>(std::fabs(value)) + 1LL); };
  const auto pick = [key](float a, float b, bool lesser) {
    if (std::isnan(a)) return b;
    if (std::isnan(b)) return a;
    return (key(a) < key(b)) == lesser ? a : b;
  };
  ExpectFloat("min.f32 %f9, %f1, %f2;", [pick](float a, float b, float) { return pick(a, b, true); });
  ExpectFloat("max.f32 %f9, %f1, %f2;", [pick](float a, float b, float) { return pick(a, b, false); });
}

TEST("interpreter: comparisons of floats, with NaN in each place") {
  const auto compares = [](const std::string& name, const std::function<bool(float, float)>& expected) {
    ExpectComputes("setp." + name + ".f32 %p1, %r2, %r3; selp.u32 %r10, 1, 2, %p1;",
                   [&](const Row& r, u32) { return expected(Float(r.a), Float(r.b)) ? 1u : 2u; }, FloatRows());
  };
  compares("eq", [](float a, float b) { return a == b; });
  compares("ne", [](float a, float b) { return std::islessgreater(a, b); });
  compares("lt", [](float a, float b) { return a < b; });
  compares("le", [](float a, float b) { return a <= b; });
  compares("gt", [](float a, float b) { return a > b; });
  compares("ge", [](float a, float b) { return a >= b; });
  compares("equ", [](float a, float b) { return !std::islessgreater(a, b); });
  compares("neu", [](float a, float b) { return a != b; });
  compares("ltu", [](float a, float b) { return !(a >= b); });
  compares("leu", [](float a, float b) { return !(a > b); });
  compares("gtu", [](float a, float b) { return !(a <= b); });
  compares("geu", [](float a, float b) { return !(a < b); });
  compares("num", [](float a, float b) { return !std::isunordered(a, b); });
  compares("nan", [](float a, float b) { return std::isunordered(a, b); });
}

TEST("interpreter: floats and integers become each other") {
  ExpectComputes("cvt.rn.f32.s32 %r10, %r5;", [](const Row& r, u32) { return FloatBits(static_cast<float>(static_cast<int>(r.d))); }, FloatRows());
  ExpectComputes("cvt.rn.f32.u32 %r10, %r5;", [](const Row& r, u32) { return FloatBits(static_cast<float>(r.d)); }, FloatRows());
  const auto truncates = [](const std::string& type, double least, double most) {
    ExpectComputes("cvt.rzi." + type + ".f32 %r10, %r2;", [=](const Row& r, u32) {
      if (std::isnan(Float(r.a))) return 0u;
      return static_cast<u32>(static_cast<std::int64_t>(std::clamp<double>(Float(r.a), least, most)));
    }, FloatRows());
  };
  truncates("s32", -2147483648.0, 2147483647.0);
  truncates("u32", 0.0, 4294967295.0);
}

TEST("interpreter: floats are loaded and stored one, two and four at a time, untouched") {
  const auto loads = [](const std::string& body) {
    ExpectComputes(body, [](const Row& r, u32) { return r.b; }, FloatRows());
  };
  loads("ld.global.f32 %f1, [%rd4+4]; mov.b32 %r10, %f1;");
  loads("ld.global.nc.v2.f32 {%f1, %f2}, [%rd4]; mov.b32 %r10, %f2;");
  loads("ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd4]; mov.f32 %f5, %f2; mov.b32 %r10, %f5;");
  const auto rows = FloatRows();
  const Run run = RunKernel(R"(
    ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd4];
    st.global.v2.f32 [%rd5+8], {%f3, %f4};
    st.global.f32 [%rd5+4], %f2;
    mov.b32 %r10, %f1;)", rows);
  EXPECT_EQUAL(run.result, 0);
  for (std::size_t k = 0; k < rows.size(); ++k) EXPECT(std::memcmp(&run.output[k], &rows[k], sizeof(Row)) == 0);
}

TEST("interpreter: a loop that each thread leaves at its own time") {
  ExpectComputes(R"(
    and.b32 %r11, %r2, 15;
    mov.u32 %r10, 0;
  LOOP:
    setp.eq.s32 %p1, %r11, 0;
    @%p1 bra DONE;
    add.s32 %r10, %r10, %r11;
    add.s32 %r11, %r11, -1;
    bra.uni LOOP;
  DONE:
    add.s32 %r10, %r10, %r3;)",
                 [](const Row& r, u32) {
                   const u32 n = r.a & 15;
                   return n * (n + 1) / 2 + r.b;
                 });
}

TEST("interpreter: a branch both ways, and a thread that returns early") {
  const auto rows = RandomRows();
  const Run run = RunKernel(R"(
    setp.gt.u32 %p2, %r1, 150;
    @%p2 ret;
    and.b32 %r11, %r1, 1;
    setp.eq.s32 %p1, %r11, 0;
    @%p1 bra EVEN;
    mov.u32 %r10, 7;
    bra.uni JOIN;
  EVEN:
    mov.u32 %r10, 9;
  JOIN:
    add.s32 %r10, %r10, %r1;)",
                            rows);
  EXPECT_EQUAL(run.result, 0);
  for (u32 k = 0; k < kThreads; ++k) EXPECT_EQUAL(run.output[k].a, k > 150 ? 0 : k + (k % 2 == 0 ? 9 : 7));
}

TEST("interpreter: an access outside memory, a store to read-only memory, and a misaligned one fault") {
  const auto rows = RandomRows();
  EXPECT_EQUAL(RunKernel("ld.global.u32 %r10, [%rd4+4096];", rows).result, vram::driver::kIllegalAddress);
  EXPECT_EQUAL(RunKernel("ld.global.u32 %r10, [%rd4+1];", rows).result, vram::driver::kMisalignedAddress);
  EXPECT_EQUAL(RunKernel("ld.global.v4.u32 {%r10, %r11, %r12, %r13}, [%rd4+4];", rows).result, vram::driver::kMisalignedAddress);
  EXPECT_EQUAL(RunKernel("st.global.u32 [%rd4], %r1; mov.u32 %r10, 0;", rows).result, vram::driver::kIllegalAddress);
  EXPECT_EQUAL(RunKernel("mov.u32 %r10, 0;", rows, false).result, vram::driver::kIllegalAddress);
}

TEST("interpreter: a register that may be read before it is written is not loaded") {
  const auto loads = [](const std::string& body) { return !ParsePtx(Kernel(body)).empty(); };
  EXPECT(loads("mov.u32 %r11, 1; mov.u32 %r10, %r11;"));
  EXPECT(!loads("mov.u32 %r10, %r11; mov.u32 %r11, 1;"));
  EXPECT(!loads("mov.u32 %r10, 0; @%p1 mov.u32 %r10, 1;"));
  EXPECT(!loads("setp.eq.s32 %p1, %r2, 0; @%p1 mov.u32 %r10, 1;"));
  EXPECT(!loads("add.s64 %rd7, %rd6, 1; mov.u32 %r10, 1;"));
  EXPECT(!loads("mov.u32 %r10, 0; st.global.v2.u32 [%rd5], {%r10, %r11};"));
  const std::string either = "setp.eq.s32 %p1, %r2, 0; @%p1 bra THERE; mov.u32 %r10, 1; ";
  EXPECT(loads(either + "bra JOIN; THERE: mov.u32 %r10, 2; JOIN: mov.u32 %r11, %r10;"));
  EXPECT(!loads(either + "bra JOIN; THERE: mov.u32 %r11, 2; JOIN: mov.u32 %r11, %r10;"));
  EXPECT(loads(either + "bra JOIN; THERE: ret; JOIN: mov.u32 %r11, %r10;"));
  // Written in the loop's body only, and read at its head.
  EXPECT(!loads("LOOP: setp.eq.s32 %p1, %r2, %r11; @%p1 bra DONE; mov.u32 %r11, 1; bra LOOP; DONE: mov.u32 %r10, 1;"));
  EXPECT(loads("mov.u32 %r11, 0; LOOP: setp.eq.s32 %p1, %r2, %r11; @%p1 bra DONE; mov.u32 %r11, 1; bra LOOP; DONE: mov.u32 %r10, 1;"));
}

TEST("interpreter: what it does not execute, it does not load") {
  EXPECT(ParsePtx("").empty());
  EXPECT(ParsePtx("no ptx").empty());
  EXPECT(!ParsePtx(Kernel("mov.u32 %r10, %r2;")).empty());
  EXPECT(ParsePtx(Kernel("mul.hi.u32 %r10, %r2, %r3;")).empty());
  for (const char* const open : {"add.f32", "mul.f32", "mul.rn.ftz.f32", "div.approx.f32", "fma.rz.f32", "add.rn.f64"})
    EXPECT(ParsePtx(Kernel(std::string(open) + " %r10, %r2, %r3;")).empty());
  EXPECT(ParsePtx(Kernel("mov.f32 %r10, 0f3F80000;")).empty());
  EXPECT(ParsePtx(Kernel("mov.f32 %r10, -0f3F800000;")).empty());
  EXPECT(ParsePtx(Kernel("selp.b32 %r10, %r2, %r3, 1;")).empty());
  EXPECT(ParsePtx(Kernel("selp.b32 %r10, %r2, %r3, %r4;")).empty());
  EXPECT(ParsePtx(Kernel("ld.global.v3.f32 {%r10, %r11, %r12}, [%rd4];")).empty());
  EXPECT(ParsePtx(Kernel("lop3.b32 %r10, %r2, %r3, %r4, 256;")).empty());
  EXPECT(ParsePtx(Kernel("ld.global.u8 %r10, [%rd4];")).empty());
  EXPECT(ParsePtx(Kernel("add.s32 %r10, %r2;")).empty());
  EXPECT(ParsePtx(Kernel("add.s32 %r10, %r2, %rd1;")).empty());
  EXPECT(ParsePtx(Kernel("add.s32 %r10, %r2, %q1;")).empty());
  EXPECT(ParsePtx(Kernel("bra NOWHERE;")).empty());
  EXPECT(ParsePtx(Kernel("add.s32 %r10, %r2, 12x;")).empty());
}

}  // namespace
