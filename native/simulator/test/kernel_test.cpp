// The digest kernel that ships, and its variant, against SHA-256 on the host.
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "kernel/sha256.h"
#include "simulator/ptx_interpreter.h"
#include "test/harness.h"

namespace {

using namespace vram::simulator;

constexpr std::size_t kBlockBytes = 4096;
constexpr CUdeviceptr kBlocks = 0x10000000;
constexpr CUdeviceptr kDigests = 0x7000000000;

const std::string kShipped = VRAM_KERNELS "/fsverity.ptx";
const std::string kPlain = VRAM_KERNELS "/fsverity_plain.ptx";

std::shared_ptr<const Function> Kernel(const std::string& path = kShipped) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const auto functions = ParsePtx(text.str());
  EXPECT(functions.size() == 1);
  EXPECT_EQUAL(functions[0]->name, std::string("vram_fsverity_blocks"));
  return functions[0];
}

std::vector<unsigned char> HostDigest(const unsigned char* block) {
  using vram::kernel::u32;
  u32 state[8];
  std::copy(std::begin(vram::kernel::kInitialState), std::end(vram::kernel::kInitialState), state);
  for (std::size_t at = 0; at <= kBlockBytes; at += 64) {
    u32 w[16] = {};
    if (at < kBlockBytes) {
      std::memcpy(w, block + at, 64);
      for (u32& word : w) word = __builtin_bswap32(word);
    } else {
      w[0] = 0x80000000u;
      w[15] = kBlockBytes * 8;
    }
    vram::kernel::Compress(state, w);
  }
  for (u32& word : state) word = __builtin_bswap32(word);
  std::vector<unsigned char> digest(32);
  std::memcpy(digest.data(), state, 32);
  return digest;
}

void ExpectDigests(std::size_t count, std::size_t spare_blocks, const std::string& path = kShipped) {
  std::mt19937 random(static_cast<unsigned>(count));
  std::vector<unsigned char> blocks((count + spare_blocks) * kBlockBytes);
  for (unsigned char& byte : blocks) byte = static_cast<unsigned char>(random());
  std::vector<unsigned char> digests((count + 1) * 32, 0xee);
  const auto kernel = Kernel(path);
  Launch launch;
  launch.function = kernel.get();
  launch.blocks = static_cast<std::uint32_t>((count + 127) / 128);
  launch.threads_per_block = 128;
  launch.parameters = {kBlocks, kDigests, count};
  launch.memory = {{kBlocks, blocks.size(), blocks.data(), false}, {kDigests, digests.size(), digests.data(), true}};
  EXPECT_EQUAL(Execute(launch), 0);
  for (std::size_t k = 0; k < count; ++k) {
    const auto expected = HostDigest(&blocks[k * kBlockBytes]);
    EXPECT(std::memcmp(&digests[k * 32], expected.data(), 32) == 0);
  }
  EXPECT(std::all_of(digests.end() - 32, digests.end(), [](unsigned char c) { return c == 0xee; }));
}

TEST("CI-004 kernel: SHA-256 of every block, and nothing written behind the last digest") {
  for (const std::size_t count : {1, 2, 63, 64, 65, 127, 128, 129, 200}) ExpectDigests(count, 0);
}

TEST("CI-004 kernel: the plain variant gives the same digests") {
  for (const std::size_t count : {1, 2, 127, 128, 129, 200}) ExpectDigests(count, 0, kPlain);
}

TEST("kernel: blocks behind the count are neither read nor hashed") { ExpectDigests(3, 2); }

TEST("kernel: a window one byte short faults") {
  const auto kernel = Kernel();
  std::vector<unsigned char> blocks(2 * kBlockBytes);
  std::vector<unsigned char> digests(64);
  Launch launch{kernel.get(), 1, 128, {kBlocks, kDigests, 2}, {}};
  launch.memory = {{kBlocks, blocks.size() - 1, blocks.data(), false}, {kDigests, digests.size(), digests.data(), true}};
  EXPECT_EQUAL(Execute(launch), vram::driver::kIllegalAddress);
}

}  // namespace
