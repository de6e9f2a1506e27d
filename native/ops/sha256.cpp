#include "ops/sha256.h"

#include <string.h>

#include <algorithm>
#include <cstring>

#include "kernel/sha256.h"

namespace vram::ops {
namespace {

constexpr std::size_t kMessageBytes = 64;
constexpr std::size_t kLengthOffset = 56;

}  // namespace

Sha256::Sha256() { std::copy(std::begin(kernel::kInitialState), std::end(kernel::kInitialState), state_); }

Sha256::~Sha256() { explicit_bzero(buffer_.data(), buffer_.size()); }

void Sha256::CompressBlock(const std::byte* block) {
  std::uint32_t words[16];
  std::memcpy(words, block, kMessageBytes);
  for (std::uint32_t& word : words) word = __builtin_bswap32(word);
  kernel::Compress(state_, words);
}

void Sha256::Update(std::span<const std::byte> message) {
  const std::size_t buffered = length_ % kMessageBytes;
  length_ += message.size();
  if (buffered != 0) {
    const std::size_t taken = std::min(message.size(), kMessageBytes - buffered);
    std::copy_n(message.begin(), taken, buffer_.begin() + static_cast<std::ptrdiff_t>(buffered));
    if (buffered + taken < kMessageBytes) return;
    CompressBlock(buffer_.data());
    message = message.subspan(taken);
  }
  for (; message.size() >= kMessageBytes; message = message.subspan(kMessageBytes)) CompressBlock(message.data());
  std::copy(message.begin(), message.end(), buffer_.begin());
}

Digest Sha256::Finish() {
  std::size_t used = length_ % kMessageBytes;
  buffer_[used++] = std::byte{0x80};
  std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(used), buffer_.end(), std::byte{0});
  if (used > kLengthOffset) {
    CompressBlock(buffer_.data());
    buffer_.fill(std::byte{0});
  }
  const std::uint64_t bits = __builtin_bswap64(length_ * 8);
  std::memcpy(buffer_.data() + kLengthOffset, &bits, sizeof bits);
  CompressBlock(buffer_.data());
  Digest digest;
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint32_t word = __builtin_bswap32(state_[i]);
    std::memcpy(digest.data() + 4 * i, &word, sizeof word);
  }
  return digest;
}

Digest Sha256Of(std::span<const std::byte> message) {
  Sha256 sha256;
  sha256.Update(message);
  return sha256.Finish();
}

}  // namespace vram::ops
