#include "secret/secret_page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

namespace vram::secret {
namespace {

std::size_t PageBytes() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

std::span<std::byte> MapPage(int flags, int fd) {
  const std::size_t size = PageBytes();
  void* const page = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (page == MAP_FAILED) return {};
  return {static_cast<std::byte*>(page), size};
}

bool Advise(std::span<std::byte> page, int advice) { return madvise(page.data(), page.size(), advice) == 0; }

}  // namespace

std::optional<SecretPage> SecretPage::Map(Protection best) {
  if (best == Protection::kSecret) {
    if (auto page = MapSecret()) return page;
  }
  return MapPrivate(best != Protection::kUnlocked);
}

/// Such memory is shared with children by nature, and left out of core dumps.
std::optional<SecretPage> SecretPage::MapSecret() {
  const int fd = static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC));
  if (fd < 0) return std::nullopt;
  const bool sized = ftruncate(fd, static_cast<off_t>(PageBytes())) == 0;
  const std::span<std::byte> bytes = sized ? MapPage(MAP_SHARED, fd) : std::span<std::byte>();
  close(fd);
  if (bytes.empty()) return std::nullopt;
  SecretPage page(bytes, Protection::kSecret);
  if (!Advise(bytes, MADV_DONTFORK)) return std::nullopt;
  return page;
}

std::optional<SecretPage> SecretPage::MapPrivate(bool lock) {
  const std::span<std::byte> bytes = MapPage(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (bytes.empty()) return std::nullopt;
  const bool undumped = Advise(bytes, MADV_DONTDUMP);
  const bool unforked = Advise(bytes, MADV_WIPEONFORK);
  // Sanitizers replace mlock by nothing.
  const bool locked = lock && undumped && unforked && syscall(SYS_mlock, bytes.data(), bytes.size()) == 0;
  return SecretPage(bytes, locked ? Protection::kLocked : Protection::kUnlocked);
}

SecretPage::SecretPage(SecretPage&& other) noexcept : bytes_(std::exchange(other.bytes_, {})), protection_(other.protection_) {}

SecretPage::~SecretPage() {
  if (bytes_.empty()) return;
  explicit_bzero(bytes_.data(), bytes_.size());
  munmap(bytes_.data(), bytes_.size());
}

}  // namespace vram::secret
