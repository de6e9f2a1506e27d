// Every operation of the interpreter against the host's own arithmetic.
#include <cstdint>
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
  .reg .pred %p<4>; .reg .b32 %r<40>; .reg .b64 %rd<20>;
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

void ExpectComputes(const std::string& body, const std::function<u32(const Row&, u32)>& expected) {
  const auto rows = RandomRows();
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

TEST("interpreter: what it does not execute, it does not load") {
  EXPECT(ParsePtx("").empty());
  EXPECT(ParsePtx("no ptx").empty());
  EXPECT(ParsePtx(Kernel("mul.hi.u32 %r10, %r2, %r3;")).empty());
  EXPECT(ParsePtx(Kernel("add.s32 %r10, %r2;")).empty());
  EXPECT(ParsePtx(Kernel("add.s32 %r10, %r2, %rd1;")).empty());
  EXPECT(ParsePtx(Kernel("add.s32 %r10, %r2, %q1;")).empty());
  EXPECT(ParsePtx(Kernel("bra NOWHERE;")).empty());
  EXPECT(ParsePtx(Kernel("add.s32 %r10, %r2, 12x;")).empty());
}

}  // namespace
