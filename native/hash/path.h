// SHA-256 on the host in several ways, and the best one for this processor. Only what the processor and the system support
// is ever called: each way is compiled for its own instructions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vram::hash {

inline constexpr std::size_t kBlockBytes = 4096;
inline constexpr std::size_t kDigestBytes = 32;
inline constexpr std::size_t kMessageBytes = 64;

using State = std::uint32_t[8];

struct Path {
  std::string_view name;
  /// The digest of each of `count` 4096-byte blocks that lie one after another.
  void (*hash_blocks)(const std::byte* blocks, std::size_t count, std::byte* digests);
  /// The compression function (FIPS 180-4 section 6.2.2) over `count` 64-byte message blocks.
  void (*compress)(State& state, const std::byte* messages, std::size_t count);
};

/// What this processor can do, the fastest first; never empty.
std::span<const Path> AvailablePaths();
inline const Path& BestPath() { return AvailablePaths().front(); }

}  // namespace vram::hash
