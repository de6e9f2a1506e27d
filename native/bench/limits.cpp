#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "bench/measure.h"

namespace vram::bench {

namespace {

constexpr std::size_t kPieceBytes = 512 * 1024;

/// Where a result goes so that the compiler cannot leave out how it came about.
volatile std::uint64_t sink;

}  // namespace

Result<OpenFile> OpenToRead(const char* path) {
  OpenFile file{ops::UniqueFd(open(path, O_RDONLY | O_CLOEXEC)), 0};
  struct stat facts = {};
  if (!file.fd.valid() || fstat(file.fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size == 0) {
    return InvalidInput("FILE must be a readable file that is not empty");
  }
  file.byte_length = static_cast<std::uint64_t>(facts.st_size);
  return file;
}

Result<Measurement> ReadFile(const OpenFile& file) {
  std::vector<std::byte> piece(kPieceBytes);
  std::uint64_t done = 0;
  const double seconds = SecondsOf([&] {
    while (done < file.byte_length) {
      const ssize_t got = pread(file.fd.get(), piece.data(), piece.size(), static_cast<off_t>(done));
      if (got <= 0) return;
      done += static_cast<std::uint64_t>(got);
    }
  });
  if (done < file.byte_length) return InvalidInput("FILE must be readable to its end");
  return Measurement{seconds, done};
}

Measurement ReadMemory(std::uint64_t byte_length) {
  const std::vector<std::uint64_t> words(std::max<std::size_t>(byte_length / sizeof(std::uint64_t), 1), 1);
  const double seconds = SecondsOf([&] {
    std::uint64_t sum = 0;
    for (const std::uint64_t word : words) sum += word;
    sink = sum;
  });
  return {seconds, words.size() * sizeof(std::uint64_t)};
}

Measurement CopyMemory(std::uint64_t byte_length) {
  const std::vector<std::byte> from(byte_length, std::byte{1});
  std::vector<std::byte> to(byte_length, std::byte{2});
  const double seconds = SecondsOf([&] { std::memcpy(to.data(), from.data(), byte_length); });
  sink = std::to_integer<std::uint64_t>(to[byte_length / 2]);
  return {seconds, byte_length};
}

}  // namespace vram::bench
