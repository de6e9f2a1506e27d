// A driver, a context with a stream, and memory made as the project makes it.
#pragma once

#include <dlfcn.h>

#include <chrono>
#include <string>
#include <vector>

#include "driver/abi.h"
#include "report.h"

namespace probe {

using namespace vram::driver;

struct Api {
#define X(symbol, parameters) CUresult(*symbol) parameters = nullptr;
#include "driver/entry_points.inc"
#undef X
  // What is asked here and nowhere else in the project.
  CUresult (*cuMemHostAlloc)(void**, size_t, unsigned) = nullptr;
  CUresult (*cuMemFreeHost)(void*) = nullptr;
  CUresult (*cuCtxGetStreamPriorityRange)(int*, int*) = nullptr;
};

inline Api Load(const char* library) {
  void* const handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) Die("no driver library", -1);
  Api api;
#define X(symbol, parameters)                                      \
  *reinterpret_cast<void**>(&api.symbol) = dlsym(handle, #symbol); \
  if (api.symbol == nullptr) Die("missing entry point " #symbol, -1);
#include "driver/entry_points.inc"
#undef X
  *reinterpret_cast<void**>(&api.cuMemHostAlloc) = dlsym(handle, "cuMemHostAlloc");
  *reinterpret_cast<void**>(&api.cuMemFreeHost) = dlsym(handle, "cuMemFreeHost");
  *reinterpret_cast<void**>(&api.cuCtxGetStreamPriorityRange) = dlsym(handle, "cuCtxGetStreamPriorityRange");
  return api;
}

inline double Seconds() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

inline void Need(const char* what, CUresult result) {
  if (result != kSuccess) Die(what, result);
}

inline constexpr const char* kDigestKernel = "vram_fsverity_blocks";

class Session {
 public:
  Session(const Api& api, const std::string& ptx) : api_(api) {
    Need("cuInit", api_.cuInit(0));
    Need("cuDeviceGet", api_.cuDeviceGet(&device_, 0));
    CUcontext context = nullptr;
    Need("cuDevicePrimaryCtxRetain", api_.cuDevicePrimaryCtxRetain(&context, device_));
    Need("cuCtxSetCurrent", api_.cuCtxSetCurrent(context));
    Need("cuStreamCreate", api_.cuStreamCreate(&stream_, kStreamNonBlocking));
    const double start = Seconds();
    hash_ = Kernel(ptx.c_str(), kDigestKernel);
    jit_ms_ = (Seconds() - start) * 1e3;
    const CUmemAllocationProp properties = Properties();
    Need("granularity", api_.cuMemGetAllocationGranularity(&granularity_, &properties, kGranularityMinimum));
  }

  CUfunction Kernel(const char* ptx, const char* name) {
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    Need("cuModuleLoadDataEx", api_.cuModuleLoadDataEx(&module, ptx, 0, nullptr, nullptr));
    Need("cuModuleGetFunction", api_.cuModuleGetFunction(&function, module, name));
    return function;
  }

  size_t FreeBytes() {
    size_t free_bytes = 0, total = 0;
    Need("cuMemGetInfo", api_.cuMemGetInfo_v2(&free_bytes, &total));
    return free_bytes;
  }

  CUmemAllocationProp Properties() const {
    CUmemAllocationProp properties{};
    properties.type = kDeviceNonMigrating;
    properties.location = {kLocationDevice, device_};
    return properties;
  }

  size_t Rounded(size_t bytes) const { return (bytes + granularity_ - 1) / granularity_ * granularity_; }

  CUdeviceptr Allocate(size_t bytes) {
    const CUmemAllocationProp properties = Properties();
    CUmemGenericAllocationHandle handle = 0;
    CUdeviceptr address = 0;
    bytes = Rounded(bytes);
    Need("cuMemCreate", api_.cuMemCreate(&handle, bytes, &properties, 0));
    Need("cuMemAddressReserve", api_.cuMemAddressReserve(&address, bytes, 0, 0, 0));
    Need("cuMemMap", api_.cuMemMap(address, bytes, 0, handle, 0));
    Need("cuMemRelease", api_.cuMemRelease(handle));
    Need("cuMemSetAccess", SetAccess(address, bytes, kAccessReadWrite));
    return address;
  }

  CUresult SetAccess(CUdeviceptr address, size_t bytes, int flags) {
    const CUmemAccessDesc access{{kLocationDevice, device_}, flags};
    return api_.cuMemSetAccess(address, Rounded(bytes), &access, 1);
  }

  void Free(CUdeviceptr address, size_t bytes) {
    Need("cuMemUnmap", api_.cuMemUnmap(address, Rounded(bytes)));
    Need("cuMemAddressFree", api_.cuMemAddressFree(address, Rounded(bytes)));
  }

  CUresult Hash(CUdeviceptr blocks, CUdeviceptr digests, unsigned count) { return Hash(hash_, blocks, digests, count); }

  CUresult Hash(CUfunction kernel, CUdeviceptr blocks, CUdeviceptr digests, unsigned count) {
    void* parameters[] = {&blocks, &digests, &count};
    return api_.cuLaunchKernel(kernel, (count + 127) / 128, 1, 1, 128, 1, 1, 0, stream_, parameters, nullptr);
  }

  CUresult Wait() { return api_.cuStreamSynchronize(stream_); }
  const Api& api() const { return api_; }
  CUdevice device() const { return device_; }
  CUstream stream() const { return stream_; }
  size_t granularity() const { return granularity_; }
  double jit_ms() const { return jit_ms_; }

 private:
  const Api& api_;
  CUdevice device_ = 0;
  CUstream stream_ = nullptr;
  CUfunction hash_ = nullptr;
  size_t granularity_ = 1;
  double jit_ms_ = 0;
};

}  // namespace probe
