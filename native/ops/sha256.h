// SHA-256 on the host (FIPS 180-4), over the compression function the digest kernel is made of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vram::ops {

using Digest = std::array<std::byte, 32>;

class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  /// Wipes what was buffered of the message.
  ~Sha256();

  void Update(std::span<const std::byte> message);
  /// Ends the message; the object is used up.
  Digest Finish();

 private:
  void CompressBlock(const std::byte* block);

  std::uint32_t state_[8];
  std::array<std::byte, 64> buffer_ = {};
  std::uint64_t length_ = 0;
};

Digest Sha256Of(std::span<const std::byte> message);

}  // namespace vram::ops
