// Asks a CUDA driver what this project assumes of it, and prints the answers as one JSON object.
//   g++ -std=c++20 -O2 -I native scripts/gpu-probe.cpp -ldl -o gpu-probe
//   ./gpu-probe libcuda.so.1 native/kernel/fsverity.ptx native/kernel/fsverity_plain.ptx   (--quick: small, for the simulator)
// Needs a driver and a compiler, no toolkit and no Node. Whatever may end a context runs in a process of its own; an
// experiment that could not be done says so in "failed", and the exit code is 1 if there is one.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include "gpu-probe/report.h"
#include "gpu-probe/session.h"
#include "gpu-probe/trace.h"

using namespace probe;

namespace {

const char kStorePtx[] =
    ".version 6.0\n.target sm_60\n.address_size 64\n.visible .entry store(.param .u64 to)\n{\n .reg .b32 %r<2>;\n"
    " .reg .b64 %rd<3>;\n ld.param.u64 %rd1, [to];\n cvta.to.global.u64 %rd2, %rd1;\n mov.u32 %r1, 5;\n"
    " st.global.u32 [%rd2], %r1;\n ret;\n}\n";

CUresult Store(Session& session, CUdeviceptr to) {
  void* parameters[] = {&to};
  return session.api().cuLaunchKernel(session.Kernel(kStorePtx, "store"), 1, 1, 1, 1, 1, 1, 0, session.stream(), parameters, nullptr);
}

// A write into memory that is mapped read-only: the call's answer, the stream's, whether the context lives, what lies there.
std::string WriteIntoReadOnly(Session& session, const std::function<CUresult(Session&, CUdeviceptr)>& write) {
  const Api& api = session.api();
  const CUdeviceptr memory = session.Allocate(4096);
  Need("memset", api.cuMemsetD8Async(memory, 0xaa, 4096, session.stream()));
  Need("synchronize", session.Wait());
  Need("freeze", session.SetAccess(memory, 4096, kAccessRead));
  const CUresult called = write(session, memory);
  const CUresult waited = session.Wait();
  std::vector<unsigned char> back(4096);
  const CUresult copied = api.cuMemcpyDtoHAsync_v2(back.data(), memory, back.size(), session.stream());
  const CUresult alive = session.Wait();
  const bool readable = copied == kSuccess && alive == kSuccess;
  const bool unchanged = std::all_of(back.begin(), back.end(), [](unsigned char byte) { return byte == 0xaa; });
  return Object({{"call", std::to_string(called)},
                 {"synchronize", std::to_string(waited)},
                 {"copyBack", std::to_string(copied)},
                 {"contextAlive", alive == kSuccess ? "true" : "false"},
                 {"unchanged", readable ? (unchanged ? "true" : "false") : "null"}});
}

std::string DeviceFacts(Session& session) {
  char name[128] = {};
  int version = 0;
  size_t total = 0;
  Need("cuDeviceGetName", session.api().cuDeviceGetName(name, sizeof name, session.device()));
  Need("cuDriverGetVersion", session.api().cuDriverGetVersion(&version));
  Need("cuDeviceTotalMem", session.api().cuDeviceTotalMem_v2(&total, session.device()));
  std::vector<Row> attributes;
  for (const int attribute : {16, 18, 19, 20, 32, 41, 75, 76, 83, 88, 89, 100, 101, 102, 116, 130, 133}) {
    int value = -1;
    const CUresult result = session.api().cuDeviceGetAttribute(&value, attribute, session.device());
    attributes.push_back({std::to_string(attribute), Object({{"result", std::to_string(result)}, {"value", std::to_string(value)}})});
  }
  return Object({{"name", Quote(name)},
                 {"driverApi", std::to_string(version)},
                 {"totalBytes", std::to_string(total)},
                 {"granularityBytes", std::to_string(session.granularity())},
                 {"attributes", Object(attributes)}});
}

// Of a frozen allocation. Addresses are told only as null or not.
std::string PointerAttributes(Session& session) {
  const CUdeviceptr memory = session.Allocate(4096);
  Need("freeze", session.SetAccess(memory, 4096, kAccessRead));
  std::vector<Row> rows;
  for (int attribute = 1; attribute <= 21; ++attribute) {
    if (attribute == 5) continue;  // tokens of a peer-to-peer interface, of another shape
    unsigned long long value[2] = {0, 0};
    const CUresult result = session.api().cuPointerGetAttribute(value, attribute, memory);
    const bool address = attribute == 1 || attribute == 3 || attribute == 4 || attribute == 11 || attribute == 17 || attribute == 19;
    const std::string told = address ? Quote(value[0] == 0 ? "null" : "address") : std::to_string(value[0]);
    rows.push_back({std::to_string(attribute), Object({{"result", std::to_string(result)}, {"value", told}})});
  }
  return Object(rows);
}

// Of several runs, the speed that of the median.
std::string Speed(size_t bytes, int runs, const std::function<void()>& work) {
  std::vector<double> seconds;
  for (int run = 0; run < runs; ++run) {
    const double start = Seconds();
    work();
    seconds.push_back(Seconds() - start);
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  return Object({{"bytes", std::to_string(bytes)},
                 {"bestMs", std::to_string(seconds.front() * 1e3)},
                 {"medianMs", std::to_string(median * 1e3)},
                 {"gigabytesPerSecond", std::to_string(static_cast<double>(bytes) / median / 1e9)}});
}

std::string Skipped(const char* reason) { return Object({{"skipped", Quote(reason)}}); }

std::string KernelSpeed(Session& session, size_t bytes, int runs) {
  const unsigned blocks = static_cast<unsigned>(bytes / 4096);
  const size_t digest_bytes = size_t{blocks} * 32;
  if (session.FreeBytes() < session.Rounded(bytes) + session.Rounded(digest_bytes)) return Skipped("too little free memory");
  const CUdeviceptr data = session.Allocate(bytes);
  const CUdeviceptr digests = session.Allocate(digest_bytes);
  Need("fill", session.api().cuMemsetD32Async(data, 0x12345678, bytes / 4, session.stream()));
  const auto hash = [&] {
    Need("launch", session.Hash(data, digests, blocks));
    Need("synchronize", session.Wait());
  };
  hash();
  return Speed(bytes, runs, hash);
}

// Whether the two variants of the digest kernel give the same digests of blocks that all differ.
std::string VariantIsExact(Session& session, const std::string& variant) {
  const unsigned blocks = 256;
  std::vector<unsigned> words(size_t{blocks} * 1024);
  for (size_t i = 0; i < words.size(); ++i) words[i] = static_cast<unsigned>(i * 2654435761u);
  const size_t digest_bytes = size_t{blocks} * 32;
  const CUdeviceptr data = session.Allocate(words.size() * 4);
  const CUdeviceptr digests = session.Allocate(2 * digest_bytes);
  Need("copy", session.api().cuMemcpyHtoDAsync_v2(data, words.data(), words.size() * 4, session.stream()));
  Need("launch", session.Hash(data, digests, blocks));
  Need("launch", session.Hash(session.Kernel(variant.c_str(), kDigestKernel), data, digests + digest_bytes, blocks));
  std::vector<unsigned char> both(2 * digest_bytes);
  Need("copy back", session.api().cuMemcpyDtoHAsync_v2(both.data(), digests, both.size(), session.stream()));
  Need("synchronize", session.Wait());
  return std::memcmp(both.data(), both.data() + digest_bytes, digest_bytes) == 0 ? "true" : "false";
}

std::string StreamPriorities(Session& session) {
  int least = 0;
  int greatest = 0;
  if (session.api().cuCtxGetStreamPriorityRange == nullptr) return Skipped("the driver tells none");
  Need("cuCtxGetStreamPriorityRange", session.api().cuCtxGetStreamPriorityRange(&least, &greatest));
  return Object({{"least", std::to_string(least)}, {"greatest", std::to_string(greatest)}});
}

// What the kernel's instructions allow: a profiler counts 1034 for 64 bytes on the pipe that shifts and combines, which takes
// 64 a cycle in each multiprocessor (sm_90).
std::string ArithmeticCeiling(Session& session) {
  constexpr int kClockRate = 13;  // kHz
  constexpr int kMultiprocessors = 16;
  constexpr double kCyclesPerMessage = 1034 / 64.0;
  int kilohertz = 0;
  int multiprocessors = 0;
  Need("clock", session.api().cuDeviceGetAttribute(&kilohertz, kClockRate, session.device()));
  Need("multiprocessors", session.api().cuDeviceGetAttribute(&multiprocessors, kMultiprocessors, session.device()));
  return Object({{"gigabytesPerSecond", std::to_string(64e-6 * kilohertz * multiprocessors / kCyclesPerMessage)}});
}

std::string CopySpeed(Session& session, size_t bytes, int runs, void* host) {
  if (session.FreeBytes() < session.Rounded(bytes)) return Skipped("too little free memory");
  std::memset(host, 1, bytes);
  const CUdeviceptr memory = session.Allocate(bytes);
  return Speed(bytes, runs, [&] {
    Need("copy", session.api().cuMemcpyHtoDAsync_v2(memory, host, bytes, session.stream()));
    Need("synchronize", session.Wait());
  });
}

std::string MemsetSpeed(Session& session, size_t bytes, int runs) {
  if (session.FreeBytes() < session.Rounded(bytes)) return Skipped("too little free memory");
  const CUdeviceptr memory = session.Allocate(bytes);
  return Speed(bytes, runs, [&] {
    Need("memset", session.api().cuMemsetD8Async(memory, 0, bytes, session.stream()));
    Need("synchronize", session.Wait());
  });
}

std::string PageableSpeed(Session& session, size_t bytes, int runs) {
  std::vector<unsigned char> host(bytes);
  return CopySpeed(session, bytes, runs, host.data());
}

std::string PinnedSpeed(Session& session, size_t bytes, int runs) {
  void* host = nullptr;
  const Api& api = session.api();
  if (api.cuMemHostAlloc == nullptr || api.cuMemFreeHost == nullptr) return Skipped("the driver has no page-locked memory");
  const CUresult result = api.cuMemHostAlloc(&host, bytes, 0);
  if (result != kSuccess) return Skipped("page-locked memory was refused");
  const std::string speed = CopySpeed(session, bytes, runs, host);
  Need("cuMemFreeHost", api.cuMemFreeHost(host));
  return speed;
}

std::string ReadText(const char* path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  if (text.str().empty()) Die("no PTX to read", -1);
  return text.str();
}

}  // namespace

int main(int count, char** arguments) {
  const bool quick = count == 5 && std::strcmp(arguments[4], "--quick") == 0;
  if (count != 4 && !quick) Die("usage: gpu-probe LIBRARY PTX VARIANT_PTX [--quick]", -1);
  const std::string ptx = ReadText(arguments[2]);
  const std::string variant = ReadText(arguments[3]);
  setenv("CUDA_CACHE_DISABLE", "1", 1);
  const Api api = Load(arguments[1]);

  std::vector<Row> rows;
  std::vector<std::string> failed;
  const auto ask_with = [&](const std::string& text, const std::string& key, const std::function<std::string(Session&)>& experiment) {
    const std::string answer = Apart([&] {
      Session session(api, text);
      return experiment(session);
    });
    if (answer.empty()) failed.push_back(Quote(key));
    rows.push_back({key, answer.empty() ? "null" : answer});
  };
  const auto ask = [&](const std::string& key, const std::function<std::string(Session&)>& experiment) { ask_with(ptx, key, experiment); };
  const auto ask_write = [&](const std::string& key, const std::function<CUresult(Session&, CUdeviceptr)>& write) {
    ask(key, [&](Session& session) { return WriteIntoReadOnly(session, write); });
  };

  ask("device", DeviceFacts);
  ask("jitMs", [](Session& session) { return std::to_string(session.jit_ms()); });
  ask("pointerAttributes", PointerAttributes);
  ask("trace", Trace);
  ask("streamPriorities", StreamPriorities);
  ask("variantIsExact", [&](Session& session) { return VariantIsExact(session, variant); });
  ask("arithmeticCeiling", ArithmeticCeiling);
  const unsigned char ones[4] = {1, 1, 1, 1};
  ask_write("readOnlyStore", Store);
  ask_write("readOnlyCopy", [&](Session& session, CUdeviceptr memory) {
    return api.cuMemcpyHtoDAsync_v2(memory, ones, sizeof ones, session.stream());
  });
  ask_write("readOnlyMemset", [&](Session& session, CUdeviceptr memory) { return api.cuMemsetD8Async(memory, 0, 16, session.stream()); });

  const size_t mebibyte = size_t{1} << 20;
  // 32 MiB lies in the second-level cache of a large GPU, the others do not.
  const std::vector<size_t> sizes = quick ? std::vector<size_t>{1} : std::vector<size_t>{32, 64, 1024, 16384};
  const int runs = quick ? 1 : 10;
  for (const size_t size : sizes) {
    const auto speed = [&](Session& session) { return KernelSpeed(session, size * mebibyte, runs); };
    ask("kernel" + std::to_string(size) + "MiB", speed);
    ask_with(variant, "variant" + std::to_string(size) + "MiB", speed);
  }
  ask("memset", [&](Session& session) { return MemsetSpeed(session, sizes.back() * mebibyte, runs); });
  const size_t copied = (quick ? 1 : 1024) * mebibyte;
  ask("copyPageable", [&](Session& session) { return PageableSpeed(session, copied, runs); });
  ask("copyPinned", [&](Session& session) { return PinnedSpeed(session, copied, runs); });

  rows.push_back({"failed", List(failed)});
  std::printf("%s\n", Object(rows).c_str());
  return failed.empty() ? 0 : 1;
}
