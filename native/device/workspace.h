// The device memory a digest needs, made once at open so that a verification never allocates and cannot fail on a full
// card. Three areas: the leaf digests of one window, their parents, and the data of the known-answer test.
#pragma once

#include <cstdint>
#include <memory>

#include "device/context.h"

namespace vram::device {

/// Digests that fill one tree block.
inline constexpr std::uint64_t kTreeFan = kBlockBytes / kDigestBytes;
/// Data under one tree block.
inline constexpr std::uint64_t kTreeBlockData = kTreeFan * kBlockBytes;
inline constexpr std::uint64_t kDefaultWindowBytes = std::uint64_t{4} << 30;
inline constexpr std::uint64_t kSampleBytes = (kTreeFan + 1) * kBlockBytes;

class Workspace {
 public:
  /// `window_bytes` of data are hashed at a time, a multiple of kTreeBlockData.
  static Result<std::unique_ptr<Workspace>> Create(Context& context, std::uint64_t window_bytes);

  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();

  Mapping& mapping() noexcept { return *mapping_; }
  std::uint64_t window_blocks() const noexcept { return window_blocks_; }
  std::uint64_t leaves_offset() const noexcept { return 0; }
  std::uint64_t parents_offset() const noexcept { return window_blocks_ * kDigestBytes; }
  std::uint64_t sample_offset() const noexcept { return parents_offset() + kBlockBytes * parent_blocks(); }

 private:
  Workspace(Context& context, std::uint64_t window_blocks) : context_(context), window_blocks_(window_blocks) {}
  std::uint64_t parent_blocks() const noexcept;

  Context& context_;
  std::uint64_t window_blocks_;
  std::shared_ptr<Mapping> mapping_;
};

}  // namespace vram::device
