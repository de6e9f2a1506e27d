#include "hash/path.h"

#include <array>

#include "hash/processor.h"
#include "hash/sha256_avx512.h"
#include "hash/sha256_ni.h"
#include "hash/sha256_portable.h"

namespace vram::hash {
namespace {

constexpr Path kPortable = {"portable", HashBlocksPortable, CompressPortable};

#ifdef __x86_64__
constexpr Path kShaNi = {"sha-ni", HashBlocksNi, CompressNi};

/// Fewer blocks than this are done sooner one by one than as lanes that are mostly empty.
constexpr std::size_t kFewestLanes = 6;

template <const Path& kNarrow>
void HashBlocksWide(const std::byte* blocks, std::size_t count, std::byte* digests) {
  const std::size_t wide = count % kMostLanes >= kFewestLanes ? count : count - count % kMostLanes;
  HashBlocksAvx512(blocks, wide, digests);
  if (wide < count) kNarrow.hash_blocks(blocks + wide * kBlockBytes, count - wide, digests + wide * kDigestBytes);
}

constexpr Path kAvx512 = {"avx512", HashBlocksWide<kPortable>, CompressPortable};
constexpr Path kAvx512WithShaNi = {"avx512", HashBlocksWide<kShaNi>, CompressNi};
#endif

struct Paths {
  std::array<Path, 3> list;
  std::size_t count = 0;
  void Add(const Path& path) { list[count++] = path; }
};

Paths Find() {
  Paths paths;
#ifdef __x86_64__
  const Processor processor = ReadProcessor();
  if (processor.avx512) paths.Add(processor.sha_ni ? kAvx512WithShaNi : kAvx512);
  if (processor.sha_ni) paths.Add(kShaNi);
#endif
  paths.Add(kPortable);
  return paths;
}

}  // namespace

std::span<const Path> AvailablePaths() {
  static const Paths paths = Find();
  return std::span(paths.list).first(paths.count);
}

}  // namespace vram::hash
