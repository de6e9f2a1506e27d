#include "hash/path.h"

#include <random>

#include "hash/processor.h"
#include "test/host_digest.h"
#include "test/rig.h"

using namespace vram;
using namespace vram::test;

namespace {

const hash::Path& Portable() { return hash::AvailablePaths().back(); }

bool Has(std::string_view name) {
  return std::ranges::any_of(hash::AvailablePaths(), [name](const hash::Path& path) { return path.name == name; });
}

std::vector<std::byte> RandomBytes(std::size_t count) {
  std::mt19937 random(20261125);
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

}  // namespace

TEST("CI-004 the ways to hash are those that the processor has, the best first and the portable one last") {
#ifdef __x86_64__
  const hash::Processor processor = hash::ReadProcessor();
  EXPECT_EQUAL(Has("avx512"), processor.avx512);
  EXPECT_EQUAL(Has("sha-ni"), processor.sha_ni);
  EXPECT_EQUAL(processor.avx512, __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0);
#endif
  EXPECT_EQUAL(std::string(Portable().name), std::string("portable"));
  EXPECT_EQUAL(&hash::BestPath(), &hash::AvailablePaths().front());
}

TEST("CI-004 every way gives the digests of any number of blocks, and writes nothing behind them") {
  constexpr std::size_t kMost = 100;
  const auto data = RandomBytes(kMost * hash::kBlockBytes);
  std::vector<std::byte> expected(kMost * hash::kDigestBytes);
  Portable().hash_blocks(data.data(), kMost, expected.data());
  EXPECT(std::ranges::equal(std::span(expected).first(32), ops::Sha256Of(std::span(data).first(hash::kBlockBytes))));
  for (const hash::Path& path : hash::AvailablePaths()) {
    for (std::size_t count = 0; count <= kMost; ++count) {
      std::vector<std::byte> digests(expected.size() + 1, std::byte{0x5a});
      path.hash_blocks(data.data(), count, digests.data());
      const auto written = static_cast<std::ptrdiff_t>(count * hash::kDigestBytes);
      EXPECT(std::equal(digests.begin(), digests.begin() + written, expected.begin()));
      EXPECT(std::all_of(digests.begin() + written, digests.end(), [](std::byte byte) { return byte == std::byte{0x5a}; }));
    }
  }
}

TEST("CI-004 every way compresses messages alike, wherever they begin") {
  const auto data = RandomBytes(65 * hash::kMessageBytes);
  for (const hash::Path& path : hash::AvailablePaths()) {
    for (std::size_t offset = 0; offset < hash::kMessageBytes; ++offset) {
      hash::State expected = {1, 2, 3, 4, 5, 6, 7, 8};
      hash::State state = {1, 2, 3, 4, 5, 6, 7, 8};
      Portable().compress(expected, data.data() + offset, 64);
      path.compress(state, data.data() + offset, 64);
      EXPECT(std::ranges::equal(state, expected));
    }
  }
}

TEST("CI-004 every way gives the fs-verity command's digests") {
  const std::pair<std::uint64_t, const char*> vectors[] = {
      {1, "b803429503d95915829b29fdbc8bbad142f3abfd11b1cadf5526582e685c0551"},
      {4095, "5f4953aad672b0188023d6cd6fbce9d09508eb7dad165b6298ce0086bc1e72db"},
      {4096, "13e9b8848ae484a36acb3f3cac0ceb2f7601e96633d15c92f9bd3dd44e492157"},
      {4097, "b0d074abef4d544404facfab6ba242f6a8ccbde90f1325cd286f3c8aa8d0f8aa"},
      {8192, "e48d50c56c4f0178a98a035cb91d66be328eeff78bbddaa35c5ec4cc0d8340c0"},
      {524288, "d82861203d50ae9b60948504a704f35f5118bd229aeb1a22d6dae47b1767c4c4"},
      {524289, "4dc6905041c9c4ee73e13b53f63f5d289c46da359b664a965ead7f8cc4d799d4"},
      {67108864, "196650e8bd05f8516c0ede56deeb4d1ff2be9809dc2d827261db4a7773957567"},
      {67108869, "9dd5b05ed52fe1bb86fa899e3e1c06df348699182f0f5994b124d0fbf6a284ea"},
  };
  for (const hash::Path& path : hash::AvailablePaths()) {
    for (const auto& [size, digest] : vectors) EXPECT_EQUAL(HostDigest(Pattern(size), path), std::string(digest));
  }
}

TEST("CI-004 every way gives equal digests byte by byte up to three blocks, and at the boundaries of a tree's levels") {
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t size = 1; size <= 3 * hash::kBlockBytes; ++size) sizes.push_back(size);
  for (const std::uint64_t level : {std::uint64_t{4096} * 128, std::uint64_t{4096} * 128 * 128}) {
    for (const std::uint64_t size : {level - 1, level, level + 1}) sizes.push_back(size);
  }
  const auto data = RandomBytes(sizes.back());
  for (const std::uint64_t size : sizes) {
    const std::vector<std::byte> head(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string expected = HostDigest(head, Portable());
    for (const hash::Path& path : hash::AvailablePaths()) EXPECT_EQUAL(HostDigest(head, path), expected);
  }
}

TEST("CI-004 every way gives equal digests of 10,000 random sizes") {
  std::mt19937_64 random(20261125);
  const auto data = RandomBytes(std::size_t{1} << 20);
  for (int i = 0; i < 10'000; ++i) {
    // Sizes of every order of magnitude, most of them small.
    const std::uint64_t size = 1 + random() % (std::uint64_t{1} << (1 + random() % 18));
    const std::uint64_t offset = random() % (data.size() - size);
    const auto begin = data.begin() + static_cast<std::ptrdiff_t>(offset);
    const std::vector<std::byte> part(begin, begin + static_cast<std::ptrdiff_t>(size));
    const std::string expected = HostDigest(part, Portable());
    for (const hash::Path& path : hash::AvailablePaths()) EXPECT_EQUAL(HostDigest(part, path), expected);
  }
}
