// What is measured, each once: a measurement of the digest, and the limits that this machine sets it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "driver/result.h"
#include "hash/path.h"
#include "ops/unique_fd.h"

namespace vram::bench {

struct Measurement {
  double seconds;
  std::uint64_t byte_length;
  /// Hex, of a digest.
  std::string digest = {};
};

template <class Work>
double SecondsOf(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  std::forward<Work>(work)();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct OpenFile {
  ops::UniqueFd fd;
  std::uint64_t byte_length;
};

Result<OpenFile> OpenToRead(const char* path);

/// `name` is a path's name, or "best". An unknown one, or one that this CPU lacks, is an error that names those there are.
Result<const hash::Path*> FindPath(const std::string& name);

/// The fs-verity digest of a file.
Result<Measurement> DigestFile(const OpenFile& file, const hash::Path& path, unsigned threads);
/// Reading a file in pieces as the digest does, and nothing else.
Result<Measurement> ReadFile(const OpenFile& file);
/// One core adds up the 64-bit words of a buffer.
Measurement ReadMemory(std::uint64_t byte_length);
/// One core copies a buffer.
Measurement CopyMemory(std::uint64_t byte_length);

}  // namespace vram::bench
