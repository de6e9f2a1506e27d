// The fs-verity digest of bytes in memory, by one of the host's ways.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "ops/fsverity.h"
#include "ops/hex.h"

namespace vram::test {

inline std::string HostDigest(std::vector<std::byte> data, const hash::Path& path = hash::BestPath()) {
  const std::uint64_t byte_length = data.size();
  data.resize(ops::LeafCount(byte_length) * hash::kBlockBytes);
  ops::FsverityTree tree(byte_length, path);
  for (std::uint64_t offset = 0; offset < data.size(); offset += ops::FsverityTree::kMostPieceBytes) {
    ops::FsverityTree::Piece piece(tree, offset);
    piece.Hash(std::span(data).subspan(offset, std::min(ops::FsverityTree::kMostPieceBytes, data.size() - offset)));
    piece.Close();
  }
  return ops::Hex(tree.Finish());
}

}  // namespace vram::test
