// SHA-256 of one message on the host (FIPS 180-4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hash/path.h"

namespace vram::ops {

using Digest = std::array<std::byte, hash::kDigestBytes>;

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
  hash::State state_;
  std::array<std::byte, hash::kMessageBytes> buffer_ = {};
  std::uint64_t length_ = 0;
};

Digest Sha256Of(std::span<const std::byte> message);

}  // namespace vram::ops
