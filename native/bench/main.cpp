// One measurement a call, printed as one line of JSON.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "ops/file_digest.h"

using namespace vram;
using namespace vram::bench;

namespace {

constexpr const char* kUsage =
    "usage: vram_host_bench paths\n"
    "       vram_host_bench digest [--path best|NAME] [--threads N] FILE\n"
    "       vram_host_bench pread FILE\n"
    "       vram_host_bench read BYTES\n"
    "       vram_host_bench memcpy BYTES";

using Arguments = std::vector<std::string>;

Error UsageError() { return InvalidInput(kUsage); }

Result<std::uint64_t> ParseCount(const std::string& name, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value == 0) return InvalidInput(name + " must be an integer of at least 1");
  return value;
}

Result<Measurement> RunDigest(Arguments arguments) {
  std::string path_name = "best";
  std::uint64_t threads = 1;
  while (arguments.size() > 2) {
    if (arguments[0] == "--path") {
      path_name = arguments[1];
    } else if (arguments[0] == "--threads") {
      const auto count = ParseCount("--threads", arguments[1]);
      if (!count.ok()) return count.error();
      threads = count.value();
    } else {
      return UsageError();
    }
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  if (arguments.size() != 1) return UsageError();
  if (threads > ops::kMostDigestThreads) return InvalidInput("--threads must be at most " + std::to_string(ops::kMostDigestThreads));
  const auto path = FindPath(path_name);
  if (!path.ok()) return path.error();
  const auto file = OpenToRead(arguments[0].c_str());
  if (!file.ok()) return file.error();
  return DigestFile(file.value(), *path.value(), static_cast<unsigned>(threads));
}

Result<Measurement> RunPread(const Arguments& arguments) {
  const auto file = OpenToRead(arguments[0].c_str());
  return file.ok() ? ReadFile(file.value()) : file.error();
}

Result<Measurement> RunMemory(const Arguments& arguments, Measurement (*measure)(std::uint64_t)) {
  const auto bytes = ParseCount("BYTES", arguments[0]);
  return bytes.ok() ? Result<Measurement>(measure(bytes.value())) : bytes.error();
}

Result<Measurement> Run(const std::string& command, const Arguments& arguments) {
  if (command == "digest") return RunDigest(arguments);
  if (arguments.size() != 1) return UsageError();
  if (command == "pread") return RunPread(arguments);
  if (command == "read") return RunMemory(arguments, ReadMemory);
  if (command == "memcpy") return RunMemory(arguments, CopyMemory);
  return UsageError();
}

void PrintPaths() {
  std::string names;
  for (const hash::Path& path : hash::AvailablePaths()) names += (names.empty() ? "\"" : ", \"") + std::string(path.name) + "\"";
  std::printf("{\"paths\": [%s]}\n", names.c_str());
}

void Print(const Measurement& measured) {
  const std::string digest = measured.digest.empty() ? "" : ", \"digest\": \"" + measured.digest + "\"";
  std::printf("{\"seconds\": %.9f, \"bytes\": %llu%s}\n", measured.seconds, static_cast<unsigned long long>(measured.byte_length), digest.c_str());
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments(values + std::min(count, 2), values + count);
  const std::string command = count < 2 ? "" : values[1];
  if (command == "paths" && arguments.empty()) {
    PrintPaths();
    return 0;
  }
  const auto measured = Run(command, arguments);
  if (!measured.ok()) {
    std::fprintf(stderr, "%s\n", measured.error().message.c_str());
    return measured.error().code == Code::kInvalidInput ? 2 : 1;
  }
  Print(measured.value());
  return 0;
}
