#include "ops/sha256.h"

#include <string.h>

#include <algorithm>
#include <cstring>

#include "hash/block_digest.h"
#include "kernel/sha256.h"

namespace vram::ops {
namespace {

using hash::kMessageBytes;
constexpr std::size_t kLengthOffset = 56;

}  // namespace

Sha256::Sha256() { std::copy(std::begin(kernel::kInitialState), std::end(kernel::kInitialState), state_); }

Sha256::~Sha256() { explicit_bzero(buffer_.data(), buffer_.size()); }

void Sha256::Update(std::span<const std::byte> message) {
  const auto compress = hash::BestPath().compress;
  const std::size_t buffered = length_ % kMessageBytes;
  length_ += message.size();
  if (buffered != 0) {
    const std::size_t taken = std::min(message.size(), kMessageBytes - buffered);
    std::copy_n(message.begin(), taken, buffer_.begin() + static_cast<std::ptrdiff_t>(buffered));
    if (buffered + taken < kMessageBytes) return;
    compress(state_, buffer_.data(), 1);
    message = message.subspan(taken);
  }
  const std::size_t whole = message.size() / kMessageBytes;
  compress(state_, message.data(), whole);
  message = message.subspan(whole * kMessageBytes);
  std::copy(message.begin(), message.end(), buffer_.begin());
}

Digest Sha256::Finish() {
  const auto compress = hash::BestPath().compress;
  std::size_t used = length_ % kMessageBytes;
  buffer_[used++] = std::byte{0x80};
  std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(used), buffer_.end(), std::byte{0});
  if (used > kLengthOffset) {
    compress(state_, buffer_.data(), 1);
    buffer_.fill(std::byte{0});
  }
  const std::uint64_t bits = __builtin_bswap64(length_ * 8);
  std::memcpy(buffer_.data() + kLengthOffset, &bits, sizeof bits);
  compress(state_, buffer_.data(), 1);
  Digest digest;
  hash::StoreDigest(state_, digest.data());
  return digest;
}

Digest Sha256Of(std::span<const std::byte> message) {
  Sha256 sha256;
  sha256.Update(message);
  return sha256.Finish();
}

}  // namespace vram::ops
