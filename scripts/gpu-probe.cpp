// Asks a CUDA driver what this project assumes of it, and prints the answers as one JSON object. Not run on a GPU yet.
//   g++ -std=c++20 -O2 -I native scripts/gpu-probe.cpp -ldl -o gpu-probe
//   ./gpu-probe libcuda.so.1 native/kernel/fsverity.ptx            (--quick: small sizes, for the simulator)
// Needs a driver and a compiler, no toolkit and no Node. Whatever may end a context runs in a process of its own.
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "driver/abi.h"

using namespace vram::driver;

namespace {

struct Api {
#define X(symbol, parameters) CUresult(*symbol) parameters = nullptr;
#include "driver/entry_points.inc"
#undef X
  // Page-locked staging is measured here and nowhere else in the project.
  CUresult (*cuMemHostAlloc)(void**, size_t, unsigned) = nullptr;
  CUresult (*cuMemFreeHost)(void*) = nullptr;
};

struct Row {
  std::string key, value;
};

std::string Quote(const std::string& text) { return "\"" + text + "\""; }
std::string Object(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& row : rows) out += (out.empty() ? "" : ", ") + Quote(row.key) + ": " + row.value;
  return "{" + out + "}";
}

double Seconds() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

[[noreturn]] void Die(const char* what, CUresult result) {
  std::fprintf(stderr, "gpu-probe: %s: %d\n", what, result);
  std::exit(1);
}

void Need(const char* what, CUresult result) {
  if (result != kSuccess) Die(what, result);
}

const char kStorePtx[] =
    ".version 6.0\n.target sm_60\n.address_size 64\n.visible .entry store(.param .u64 to)\n{\n .reg .b32 %r<2>;\n"
    " .reg .b64 %rd<3>;\n ld.param.u64 %rd1, [to];\n cvta.to.global.u64 %rd2, %rd1;\n mov.u32 %r1, 5;\n"
    " st.global.u32 [%rd2], %r1;\n ret;\n}\n";

// A context with a stream, and memory made as the project makes it.
class Probe {
 public:
  Probe(const Api& api, const std::string& ptx) : api_(api) {
    Need("cuInit", api_.cuInit(0));
    Need("cuDeviceGet", api_.cuDeviceGet(&device_, 0));
    CUcontext context = nullptr;
    Need("cuDevicePrimaryCtxRetain", api_.cuDevicePrimaryCtxRetain(&context, device_));
    Need("cuCtxSetCurrent", api_.cuCtxSetCurrent(context));
    Need("cuStreamCreate", api_.cuStreamCreate(&stream_, kStreamNonBlocking));
    const double start = Seconds();
    CUmodule module = nullptr;
    Need("cuModuleLoadDataEx", api_.cuModuleLoadDataEx(&module, ptx.c_str(), 0, nullptr, nullptr));
    jit_ms_ = (Seconds() - start) * 1e3;
    Need("cuModuleGetFunction", api_.cuModuleGetFunction(&hash_, module, "vram_fsverity_blocks"));
  }

  size_t FreeBytes() {
    size_t free_bytes = 0, total = 0;
    Need("cuMemGetInfo", api_.cuMemGetInfo_v2(&free_bytes, &total));
    return free_bytes;
  }

  size_t Rounded(size_t bytes) {
    const CUmemAllocationProp properties = Properties();
    size_t granularity = 0;
    Need("granularity", api_.cuMemGetAllocationGranularity(&granularity, &properties, kGranularityMinimum));
    return (bytes + granularity - 1) / granularity * granularity;
  }

  CUdeviceptr Allocate(size_t bytes) {
    const CUmemAllocationProp properties = Properties();
    CUmemGenericAllocationHandle handle = 0;
    CUdeviceptr address = 0;
    bytes = Rounded(bytes);
    Need("cuMemCreate", api_.cuMemCreate(&handle, bytes, &properties, 0));
    Need("cuMemAddressReserve", api_.cuMemAddressReserve(&address, bytes, 0, 0, 0));
    Need("cuMemMap", api_.cuMemMap(address, bytes, 0, handle, 0));
    Need("cuMemRelease", api_.cuMemRelease(handle));
    SetAccess(address, bytes, kAccessReadWrite);
    return address;
  }

  void Free(CUdeviceptr address, size_t bytes) {
    Need("cuMemUnmap", api_.cuMemUnmap(address, Rounded(bytes)));
    Need("cuMemAddressFree", api_.cuMemAddressFree(address, Rounded(bytes)));
  }

  void SetAccess(CUdeviceptr address, size_t bytes, int flags) {
    const CUmemAccessDesc access{{kLocationDevice, device_}, flags};
    Need("cuMemSetAccess", api_.cuMemSetAccess(address, Rounded(bytes), &access, 1));
  }

  CUresult Hash(CUdeviceptr blocks, CUdeviceptr digests, unsigned count) {
    void* parameters[] = {&blocks, &digests, &count};
    return api_.cuLaunchKernel(hash_, (count + 127) / 128, 1, 1, 128, 1, 1, 0, stream_, parameters, nullptr);
  }

  CUresult Store(CUdeviceptr to) {
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    Need("store module", api_.cuModuleLoadDataEx(&module, kStorePtx, 0, nullptr, nullptr));
    Need("store function", api_.cuModuleGetFunction(&function, module, "store"));
    void* parameters[] = {&to};
    return api_.cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, stream_, parameters, nullptr);
  }

  CUresult Wait() { return api_.cuStreamSynchronize(stream_); }
  const Api& api() const { return api_; }
  CUdevice device() const { return device_; }
  CUstream stream() const { return stream_; }
  double jit_ms() const { return jit_ms_; }

 private:
  CUmemAllocationProp Properties() const {
    CUmemAllocationProp properties{};
    properties.type = kDeviceNonMigrating;
    properties.location = {kLocationDevice, device_};
    return properties;
  }

  const Api& api_;
  CUdevice device_ = 0;
  CUstream stream_ = nullptr;
  CUfunction hash_ = nullptr;
  double jit_ms_ = 0;
};

// Runs in a process of its own that has not touched the driver before; answers its JSON, or how it ended.
std::string Apart(const std::function<std::string()>& experiment) {
  int ends[2];
  if (pipe(ends) != 0) Die("pipe", -1);
  const pid_t child = fork();
  if (child == 0) {
    const std::string answer = experiment();
    const ssize_t written = write(ends[1], answer.data(), answer.size());
    _exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string answer;
  char buffer[4096];
  for (ssize_t count; (count = read(ends[0], buffer, sizeof buffer)) > 0;) answer.append(buffer, static_cast<size_t>(count));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return answer.empty() ? Object({{"ended", std::to_string(status)}}) : answer;
}

// A write into memory that is mapped read-only: the call's answer, the stream's, whether the context lives, what lies there.
std::string WriteIntoReadOnly(Probe& probe, const std::function<CUresult(CUdeviceptr)>& write) {
  const Api& api = probe.api();
  const CUdeviceptr memory = probe.Allocate(4096);
  Need("memset", api.cuMemsetD8Async(memory, 0xaa, 4096, probe.stream()));
  Need("synchronize", probe.Wait());
  probe.SetAccess(memory, 4096, kAccessRead);
  const CUresult called = write(memory);
  const CUresult waited = probe.Wait();
  unsigned char back[4] = {};
  const CUresult copied = api.cuMemcpyDtoHAsync_v2(back, memory, 4, probe.stream());
  const CUresult alive = probe.Wait();
  const bool unchanged = copied == kSuccess && alive == kSuccess && std::memcmp(back, "\xaa\xaa\xaa\xaa", 4) == 0;
  return Object({{"call", std::to_string(called)},
                 {"synchronize", std::to_string(waited)},
                 {"contextAlive", alive == kSuccess ? "true" : "false"},
                 {"unchanged", alive == kSuccess ? (unchanged ? "true" : "false") : "null"}});
}

std::string DeviceFacts(Probe& probe) {
  char name[128] = {};
  int version = 0;
  probe.api().cuDeviceGetName(name, sizeof name, probe.device());
  probe.api().cuDriverGetVersion(&version);
  std::vector<Row> rows = {{"name", Quote(name)}, {"driverApi", std::to_string(version)}};
  for (const int attribute : {16, 18, 19, 20, 32, 41, 75, 76, 83, 88, 89, 100, 101, 102, 116, 130, 133}) {
    int value = -1;
    const CUresult result = probe.api().cuDeviceGetAttribute(&value, attribute, probe.device());
    rows.push_back({std::to_string(attribute), Object({{"result", std::to_string(result)}, {"value", std::to_string(value)}})});
  }
  return Object(rows);
}

// Addresses are told only as null or not.
std::string PointerAttributes(Probe& probe) {
  const CUdeviceptr memory = probe.Allocate(4096);
  probe.SetAccess(memory, 4096, kAccessRead);
  std::vector<Row> rows;
  for (int attribute = 1; attribute <= 21; ++attribute) {
    unsigned long long value[2] = {0, 0};
    const CUresult result = probe.api().cuPointerGetAttribute(value, attribute, memory);
    const bool address = attribute == 1 || attribute == 3 || attribute == 4 || attribute == 11 || attribute == 17 || attribute == 19;
    const bool skipped = attribute == 5;  // P2P tokens: an interface of its own
    if (skipped) continue;
    rows.push_back({std::to_string(attribute),
                    Object({{"result", std::to_string(result)},
                            {"value", address ? (value[0] == 0 ? "\"null\"" : "\"address\"") : std::to_string(value[0])}})});
  }
  probe.Free(memory, 4096);
  return Object(rows);
}

std::string KernelSpeed(Probe& probe, size_t bytes, int runs) {
  const unsigned blocks = static_cast<unsigned>(bytes / 4096);
  if (probe.FreeBytes() < bytes + bytes / 64) return Object({{"skipped", Quote("too little free memory")}});
  const CUdeviceptr data = probe.Allocate(bytes);
  const CUdeviceptr digests = probe.Allocate(size_t{blocks} * 32);
  Need("fill", probe.api().cuMemsetD32Async(data, 0x12345678, bytes / 4, probe.stream()));
  Need("warm up", probe.Hash(data, digests, blocks));
  Need("warm up", probe.Wait());
  double best = 1e9;
  for (int run = 0; run < runs; ++run) {
    const double start = Seconds();
    Need("launch", probe.Hash(data, digests, blocks));
    Need("synchronize", probe.Wait());
    best = std::min(best, Seconds() - start);
  }
  probe.Free(digests, size_t{blocks} * 32);
  probe.Free(data, bytes);
  return Object({{"bytes", std::to_string(bytes)},
                 {"bestMs", std::to_string(best * 1e3)},
                 {"gigabytesPerSecond", std::to_string(static_cast<double>(bytes) / best / 1e9)}});
}

std::string CopySpeed(Probe& probe, size_t bytes, bool pinned) {
  void* host = nullptr;
  if (pinned && (probe.api().cuMemHostAlloc == nullptr || probe.api().cuMemHostAlloc(&host, bytes, 0) != kSuccess))
    return Object({{"skipped", Quote("no page-locked memory")}});
  std::vector<unsigned char> pageable(pinned ? 0 : bytes, 1);
  const CUdeviceptr memory = probe.Allocate(bytes);
  const double start = Seconds();
  Need("copy", probe.api().cuMemcpyHtoDAsync_v2(memory, pinned ? host : pageable.data(), bytes, probe.stream()));
  Need("synchronize", probe.Wait());
  const double took = Seconds() - start;
  probe.Free(memory, bytes);
  if (pinned) probe.api().cuMemFreeHost(host);
  return Object({{"bytes", std::to_string(bytes)}, {"gigabytesPerSecond", std::to_string(static_cast<double>(bytes) / took / 1e9)}});
}

Api Load(const char* library) {
  void* const handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) Die("no driver library", -1);
  Api api;
#define X(symbol, parameters)                                                  \
  *reinterpret_cast<void**>(&api.symbol) = dlsym(handle, #symbol);             \
  if (api.symbol == nullptr) Die("missing entry point " #symbol, -1);
#include "driver/entry_points.inc"
#undef X
  *reinterpret_cast<void**>(&api.cuMemHostAlloc) = dlsym(handle, "cuMemHostAlloc");
  *reinterpret_cast<void**>(&api.cuMemFreeHost) = dlsym(handle, "cuMemFreeHost");
  return api;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) Die("usage: gpu-probe LIBRARY PTX [--quick]", -1);
  const bool quick = count > 3 && std::strcmp(arguments[3], "--quick") == 0;
  std::ifstream file(arguments[2]);
  std::stringstream text;
  text << file.rdbuf();
  const std::string ptx = text.str();
  setenv("CUDA_CACHE_DISABLE", "1", 1);
  const Api api = Load(arguments[1]);
  const auto apart = [&](const std::function<std::string(Probe&)>& experiment) {
    return Apart([&] {
      Probe probe(api, ptx);
      return experiment(probe);
    });
  };
  const auto read_only = [&](const std::function<CUresult(Probe&, CUdeviceptr)>& write) {
    return apart([&](Probe& probe) {
      return WriteIntoReadOnly(probe, [&](CUdeviceptr memory) { return write(probe, memory); });
    });
  };
  const unsigned char ones[4] = {1, 1, 1, 1};
  std::vector<Row> rows = {
      {"device", apart(DeviceFacts)},
      {"jitMs", apart([](Probe& probe) { return std::to_string(probe.jit_ms()); })},
      {"pointerAttributes", apart(PointerAttributes)},
      {"readOnlyStore", read_only([](Probe& probe, CUdeviceptr memory) { return probe.Store(memory); })},
      {"readOnlyCopy", read_only([&](Probe& probe, CUdeviceptr memory) {
         return api.cuMemcpyHtoDAsync_v2(memory, ones, sizeof ones, probe.stream());
       })},
      {"readOnlyMemset",
       read_only([&](Probe& probe, CUdeviceptr memory) { return api.cuMemsetD8Async(memory, 0, 16, probe.stream()); })},
  };
  const std::vector<size_t> sizes = quick ? std::vector<size_t>{1 << 20}
                                          : std::vector<size_t>{size_t{64} << 20, size_t{1} << 30, size_t{16} << 30};
  for (const size_t bytes : sizes) {
    rows.push_back({"kernel" + std::to_string(bytes >> 20) + "MiB",
                    apart([&](Probe& probe) { return KernelSpeed(probe, bytes, quick ? 1 : 10); })});
  }
  const size_t copied = quick ? size_t{1} << 20 : size_t{1} << 30;
  rows.push_back({"copyPageable", apart([&](Probe& probe) { return CopySpeed(probe, copied, false); })});
  rows.push_back({"copyPinned", apart([&](Probe& probe) { return CopySpeed(probe, copied, true); })});
  std::printf("%s\n", Object(rows).c_str());
  return 0;
}
