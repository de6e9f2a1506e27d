// A page of memory for secrets, wiped when it is given back.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace vram::secret {

/// How far the system keeps a page from others, the least first.
enum class Protection {
  kUnlocked,  // left out of core dumps and forked children where the system can, but may be swapped out
  kLocked,    // never swapped out, in no core dump, wiped in a forked child
  kSecret,    // memfd_secret: mapped for this process alone, so that neither a debugger nor the kernel reads it by accident
};

class SecretPage {
 public:
  /// The best protection that the system grants, and no better than `best`; nothing where there is no memory.
  static std::optional<SecretPage> Map(Protection best = Protection::kSecret);

  SecretPage(SecretPage&& other) noexcept;
  SecretPage& operator=(SecretPage&&) = delete;
  ~SecretPage();

  std::span<std::byte> bytes() const { return bytes_; }
  Protection protection() const { return protection_; }

 private:
  SecretPage(std::span<std::byte> bytes, Protection protection) : bytes_(bytes), protection_(protection) {}
  static std::optional<SecretPage> MapSecret();
  static std::optional<SecretPage> MapPrivate(bool lock);

  std::span<std::byte> bytes_;
  Protection protection_;
};

}  // namespace vram::secret
