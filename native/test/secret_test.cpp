#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>

#ifdef __x86_64__
#include <emmintrin.h>
#endif

#include "secret/root_key.h"
#include "secret/traces.h"
#include "test/rig.h"

using namespace vram;
using namespace vram::test;
using secret::Protection;
using secret::RootKey;
using secret::SecretPage;

namespace {

constexpr std::array kProtections = {Protection::kSecret, Protection::kLocked, Protection::kUnlocked};
constexpr char kInstance[] = "000102030405060708090a0b0c0d0e0f";

secret::InstanceId Instance() { return std::span(kInstance).first<secret::kInstanceIdLength>(); }

std::array<std::byte, secret::kKeyBytes> KeyBytes() {
  std::array<std::byte, secret::kKeyBytes> key;
  key.fill(std::byte{7});
  return key;
}

/// The kernel's flags of the mapping that an address lies in, each between blanks.
std::string FlagsOf(const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t start = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &start, &end) == 2) {
      const auto at = reinterpret_cast<std::uintptr_t>(address);
      inside = at >= start && at < end;
    }
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

bool Has(const std::string& flags, const char* flag) { return flags.find(std::string(" ") + flag + " ") != std::string::npos; }

/// How a forked child ends that reads the first byte of a page: with that byte, or with a signal.
int StatusOfChildReading(const SecretPage& page) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);
    _exit(static_cast<int>(*static_cast<volatile std::byte*>(page.bytes().data())));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

constexpr std::uint64_t kMark = 0x5ec2e75ec2e75ec2;

[[gnu::noinline, gnu::no_sanitize("address")]] std::size_t MarksOnStackBelow() {
  const auto* const here = static_cast<const volatile std::uint64_t*>(__builtin_frame_address(0));
  std::size_t count = 0;
  for (std::ptrdiff_t i = 32; i < 384; ++i) count += here[-i] == kMark ? 1 : 0;
  return count;
}

[[gnu::noinline, gnu::no_sanitize("address")]] void LeaveMarksOnStack() {
  volatile std::uint64_t marks[256];
  for (volatile std::uint64_t& mark : marks) mark = kMark;
}

[[gnu::noinline]] void LeaveMarks(bool wipe) {
  std::optional<secret::TraceWipe> traces;
  if (wipe) traces.emplace();
  LeaveMarksOnStack();
}

}  // namespace

TEST("CI-006 a page for secrets is locked and in no core dump, wiped or absent in a forked child, and says so") {
  for (const Protection best : kProtections) {
    auto page = SecretPage::Map(best);
    EXPECT(page.has_value());
    const Protection granted = page->protection();
    EXPECT(granted <= best);
    const std::string flags = FlagsOf(page->bytes().data());
    EXPECT(Has(flags, "dd"));
    EXPECT_EQUAL(Has(flags, "lo"), granted != Protection::kUnlocked);
    EXPECT_EQUAL(Has(flags, "wf"), granted != Protection::kSecret);
    page->bytes().front() = std::byte{7};
    const int status = StatusOfChildReading(*page);
    if (granted == Protection::kSecret) {
      EXPECT(!WIFEXITED(status) || WEXITSTATUS(status) != 7);
    } else {
      EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    EXPECT(page->bytes().front() == std::byte{7});
  }
}

TEST("CI-006 a page for secrets is gone from the process with its owner") {
  const std::byte* address = nullptr;
  {
    SecretPage page = *SecretPage::Map();
    const SecretPage moved = std::move(page);
    address = moved.bytes().data();
    EXPECT(page.bytes().empty());
    EXPECT(!FlagsOf(address).empty());
  }
  EXPECT(FlagsOf(address).empty());
}

TEST("CI-001 CI-006 a root key makes the same MACs in every kind of page, and wipes what it was made of") {
  for (const Protection best : kProtections) {
    auto key = KeyBytes();
    const auto root = RootKey::FromKey(key, best);
    EXPECT(std::ranges::all_of(key, [](std::byte byte) { return byte == std::byte{0}; }));
    auto again = KeyBytes();
    const auto other = RootKey::FromKey(again);
    EXPECT(root->key_id_mac() == other->key_id_mac());
    for (std::size_t length = 0; length < 200; ++length) {
      const std::vector<std::byte> message(length, std::byte{0xa5});
      const secret::Mac mac = root->MacOf(Instance(), message);
      EXPECT(mac == other->MacOf(Instance(), message));
      EXPECT(root->Verify(Instance(), message, mac));
      secret::Mac wrong = mac;
      wrong[length % wrong.size()] ^= std::byte{1};
      EXPECT(!root->Verify(Instance(), message, wrong));
    }
  }
}

TEST("CI-005 a root key of a secret text is wiped from where the text was, and a random one is another each time") {
  std::vector<std::byte> text(100, std::byte{'t'});
  EXPECT(RootKey::FromSecret(text) != nullptr);
  EXPECT(std::ranges::all_of(text, [](std::byte byte) { return byte == std::byte{0}; }));
  EXPECT(RootKey::FromRandom()->key_id_mac() != RootKey::FromRandom()->key_id_mac());
}

TEST("CI-006 what a computation leaves on the stack and in vector registers is wiped") {
  LeaveMarks(false);
  EXPECT(MarksOnStackBelow() > 100);
  LeaveMarks(true);
  EXPECT_EQUAL(MarksOnStackBelow(), std::size_t{0});
#ifdef __x86_64__
  __m128i left;
  {
    const secret::TraceWipe traces;
    asm volatile("movq %0, %%xmm9" ::"r"(kMark) : "xmm9");
  }
  asm volatile("movdqa %%xmm9, %0" : "=x"(left));
  EXPECT_EQUAL(_mm_cvtsi128_si64(left), 0);
#endif
}

#ifdef __x86_64__
namespace {

/// What a register that no caller keeps holds behind `work`, if it was marked before.
template <typename Work>
std::uint64_t MarkBehind(const Work& work) {
  asm volatile("movq %0, %%xmm15" ::"r"(kMark) : "xmm15");
  work();
  __m128i left;
  asm volatile("movdqa %%xmm15, %0" : "=x"(left));
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(left));
}

}  // namespace

TEST("CI-006 whatever a root key computes wipes what it left") {
  const std::vector<std::byte> message(100, std::byte{1});
  auto key = KeyBytes();
  std::unique_ptr<RootKey> root;
  EXPECT_EQUAL(MarkBehind([&] { root = RootKey::FromKey(key); }), std::uint64_t{0});
  EXPECT_EQUAL(MarkBehind([] { RootKey::FromRandom(); }), std::uint64_t{0});
  std::vector<std::byte> text(40, std::byte{'t'});
  EXPECT_EQUAL(MarkBehind([&] { RootKey::FromSecret(text); }), std::uint64_t{0});
  secret::Mac mac;
  EXPECT_EQUAL(MarkBehind([&] { mac = root->MacOf(Instance(), message); }), std::uint64_t{0});
  EXPECT_EQUAL(MarkBehind([&] { root->Verify(Instance(), message, mac); }), std::uint64_t{0});
}
#endif
