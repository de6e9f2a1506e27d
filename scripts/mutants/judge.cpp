// Judges digest kernels on the simulator's interpreter. Reads cases from a file and PTX texts from standard input, each as
// its length in decimal, a line feed, and the text; prints one verdict a line: what killed it, or "survived".
// A case: stage, number of blocks (both u32, little-endian), the blocks, and the SHA-256 of each.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "simulator/ptx_interpreter.h"

namespace {

using namespace vram::simulator;

constexpr std::size_t kBlockBytes = 4096;
constexpr std::size_t kDigestBytes = 32;
constexpr std::uint32_t kThreads = 128;
constexpr CUdeviceptr kBlocks = 0x10000000;
constexpr CUdeviceptr kDigests = 0x7000000000;
constexpr unsigned kSecondsToRun = 20;

enum Verdict { kSurvived, kNotLoaded, kFaulted, kOverrun, kKnownAnswer, kVectors, kEndless };
const char* const kNames[] = {"survived", "not loaded", "faulted", "wrote elsewhere", "known answer", "vectors", "endless"};

struct Case {
  std::uint32_t stage = 0;  // 0: the known-answer test's data
  std::uint32_t count = 0;
  std::vector<unsigned char> blocks, digests;
};

std::vector<Case> ReadCases(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<Case> cases;
  std::uint32_t head[2];
  while (file.read(reinterpret_cast<char*>(head), sizeof head)) {
    Case& each = cases.emplace_back(Case{head[0], head[1], {}, {}});
    each.blocks.resize(each.count * kBlockBytes);
    each.digests.resize(each.count * kDigestBytes);
    file.read(reinterpret_cast<char*>(each.blocks.data()), static_cast<std::streamsize>(each.blocks.size()));
    file.read(reinterpret_cast<char*>(each.digests.data()), static_cast<std::streamsize>(each.digests.size()));
    if (!file) throw std::runtime_error("a case is cut short");
  }
  return cases;
}

// Nothing but the blocks and the digests can be reached; what lies behind the digests is one more, which must stay.
Verdict Judge(const Function& kernel, const Case& each) {
  std::vector<unsigned char> blocks = each.blocks;
  std::vector<unsigned char> output(each.digests.size() + kDigestBytes, 0xee);
  Launch launch;
  launch.function = &kernel;
  launch.blocks = (each.count + kThreads - 1) / kThreads;
  launch.threads_per_block = kThreads;
  launch.parameters = {kBlocks, kDigests, each.count};
  launch.memory = {{kBlocks, blocks.size(), blocks.data(), false}, {kDigests, output.size(), output.data(), true}};
  if (Execute(launch) != 0) return kFaulted;
  if (!std::equal(each.digests.begin(), each.digests.end(), output.begin())) return each.stage == 0 ? kKnownAnswer : kVectors;
  const bool kept = std::all_of(output.end() - kDigestBytes, output.end(), [](unsigned char byte) { return byte == 0xee; });
  return kept ? kSurvived : kOverrun;
}

Verdict Judge(const std::string& ptx, const std::vector<Case>& cases) {
  const auto functions = ParsePtx(ptx);
  if (functions.size() != 1 || functions[0]->parameter_bytes != std::vector<std::size_t>{8, 8, 4}) return kNotLoaded;
  for (const Case& each : cases) {
    if (const Verdict verdict = Judge(*functions[0], each); verdict != kSurvived) return verdict;
  }
  return kSurvived;
}

// In a process of its own, which is ended if it does not end.
Verdict JudgeApart(const std::string& ptx, const std::vector<Case>& cases) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(kSecondsToRun);
    _exit(Judge(ptx, cases));
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) throw std::runtime_error("no process could be started");
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return kEndless;
  if (!WIFEXITED(status) || WEXITSTATUS(status) > kVectors) throw std::runtime_error("the interpreter crashed");
  return static_cast<Verdict>(WEXITSTATUS(status));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) throw std::runtime_error("usage: judge CASES < texts");
  const std::vector<Case> cases = ReadCases(argv[1]);
  std::string line;
  while (std::getline(std::cin, line)) {
    std::string ptx(std::stoul(line), '\0');
    if (!std::cin.read(ptx.data(), static_cast<std::streamsize>(ptx.size()))) throw std::runtime_error("a text is cut short");
    std::cout << kNames[JudgeApart(ptx, cases)] << std::endl;
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
