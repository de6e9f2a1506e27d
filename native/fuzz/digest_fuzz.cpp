// The digest of bytes does not depend on the pieces they come in: SHA-256 in random pieces, and the fs-verity tree in
// windows, against a plain recursive tree.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "ops/fsverity.h"
#include "ops/sha256.h"

using namespace vram::ops;

namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kWindow = 128 * kBlock;

void Expect(bool holds) {
  if (!holds) __builtin_trap();
}

void Append(std::vector<std::byte>& bytes, const Digest& digest) { bytes.insert(bytes.end(), digest.begin(), digest.end()); }

/// The level above: one digest for each block, the last one padded with zeros.
std::vector<std::byte> LevelAbove(std::vector<std::byte> level) {
  level.resize((level.size() + kBlock - 1) / kBlock * kBlock);
  std::vector<std::byte> above;
  for (std::size_t at = 0; at < level.size(); at += kBlock) Append(above, Sha256Of(std::span(level).subspan(at, kBlock)));
  return above;
}

Digest PlainFileDigest(const std::vector<std::byte>& data) {
  std::vector<std::byte> level = LevelAbove(data);
  while (level.size() > 32) level = LevelAbove(level);
  std::vector<std::byte> descriptor(256);
  descriptor[0] = descriptor[1] = std::byte{1};
  descriptor[2] = std::byte{12};
  for (std::size_t i = 0; i < 8; ++i) descriptor[8 + i] = static_cast<std::byte>(data.size() >> (8 * i));
  std::copy(level.begin(), level.end(), descriptor.begin() + 16);
  return Sha256Of(descriptor);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t step = 1 + bytes[0];
  // Up to five windows of data from few bytes of input.
  std::vector<std::byte> data(std::min<std::size_t>((bytes[1] | bytes[2] << 8) * 41 + size, 5 * kWindow));
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(bytes[i % size] + i / size);

  Sha256 pieces;
  const std::span<const std::byte> head = std::span(data).first(std::min<std::size_t>(data.size(), 20'000));
  for (std::size_t at = 0; at < head.size(); at += step) pieces.Update(head.subspan(at, std::min(step, head.size() - at)));
  Expect(pieces.Finish() == Sha256Of(head));

  std::vector<std::byte> padded = data;
  padded.resize(LeafCount(data.size()) * kBlock);
  const std::size_t blocks = 1 + bytes[0] % 40;
  for (const vram::hash::Path& path : vram::hash::AvailablePaths()) {
    FsverityTree tree(data.size(), path);
    for (std::size_t at = 0; at < padded.size(); at += kWindow) {
      FsverityTree::Piece piece(tree, at);
      const std::span<const std::byte> window = std::span(padded).subspan(at, std::min(kWindow, padded.size() - at));
      for (std::size_t from = 0; from < window.size(); from += blocks * kBlock) {
        piece.Hash(window.subspan(from, std::min(blocks * kBlock, window.size() - from)));
      }
      piece.Close();
    }
    Expect(tree.Finish() == PlainFileDigest(data));
  }
  return 0;
}
