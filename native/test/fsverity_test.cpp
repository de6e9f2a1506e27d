#include "ops/fsverity.h"

#include "test/host_digest.h"
#include "test/rig.h"

using namespace vram;
using namespace vram::test;

TEST("CI-004 SHA-256 gives the digests of FIPS 180-4, however the message is cut") {
  const std::string message = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  const auto bytes = std::as_bytes(std::span(message));
  const std::string expected = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
  EXPECT_EQUAL(ops::Hex(ops::Sha256Of({})), std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
  EXPECT_EQUAL(ops::Hex(ops::Sha256Of(bytes)), expected);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    ops::Sha256 sha256;
    sha256.Update(bytes.first(cut));
    sha256.Update(bytes.subspan(cut));
    EXPECT_EQUAL(ops::Hex(sha256.Finish()), expected);
  }
}

TEST("CI-004 the host's fs-verity digest is the command's, at every boundary of the tree") {
  const std::pair<std::uint64_t, const char*> vectors[] = {
      {1, "b803429503d95915829b29fdbc8bbad142f3abfd11b1cadf5526582e685c0551"},
      {4095, "5f4953aad672b0188023d6cd6fbce9d09508eb7dad165b6298ce0086bc1e72db"},
      {4096, "13e9b8848ae484a36acb3f3cac0ceb2f7601e96633d15c92f9bd3dd44e492157"},
      {4097, "b0d074abef4d544404facfab6ba242f6a8ccbde90f1325cd286f3c8aa8d0f8aa"},
      {8192, "e48d50c56c4f0178a98a035cb91d66be328eeff78bbddaa35c5ec4cc0d8340c0"},
      {524288, "d82861203d50ae9b60948504a704f35f5118bd229aeb1a22d6dae47b1767c4c4"},
      {524289, "4dc6905041c9c4ee73e13b53f63f5d289c46da359b664a965ead7f8cc4d799d4"},
  };
  for (const auto& [size, digest] : vectors) EXPECT_EQUAL(HostDigest(Pattern(size)), std::string(digest));
}

TEST("The digest of zeros is what hashing that many zeros gives") {
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{4096}, std::uint64_t{4097}, std::uint64_t{524288},
                                   std::uint64_t{524289}, 2 * kMiB}) {
    EXPECT_EQUAL(ops::Hex(ops::ZeroFileDigest(size)), HostDigest(std::vector<std::byte>(size)));
  }
}
