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

TEST("The digest of zeros is what hashing that many zeros gives") {
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{4096}, std::uint64_t{4097}, std::uint64_t{524288},
                                   std::uint64_t{524289}, 2 * kMiB}) {
    EXPECT_EQUAL(ops::Hex(ops::ZeroFileDigest(size)), HostDigest(std::vector<std::byte>(size)));
  }
}
