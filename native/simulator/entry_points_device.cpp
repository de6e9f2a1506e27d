// The driver's entry points for initialization, devices, contexts and streams.
#include <cstdio>
#include <cstring>

#include "call.h"
#include "export.h"

using namespace vram::simulator;
namespace driver = vram::driver;

namespace {

bool IsDevice(const Machine& machine, int device) {
  return device >= 0 && static_cast<std::size_t>(device) < machine.devices.size();
}

// No driver of CUDA 12 or 13 has as many attributes.
constexpr int kLastAttribute = 160;

// A discrete card of the current generation, as far as this project reads its attributes.
int DefaultAttribute(int attribute) {
  switch (attribute) {
    case driver::kAttrMultiprocessorCount: return 132;
    case driver::kAttrCanMapHostMemory: return 1;
    case driver::kAttrEccEnabled: return 1;
    case driver::kAttrUnifiedAddressing: return 1;
    case driver::kAttrComputeCapabilityMajor: return 9;
    case driver::kAttrManagedMemory: return 1;
    case driver::kAttrConcurrentManagedAccess: return 1;
    case driver::kAttrVirtualMemoryManagement: return 1;
    case driver::kAttrGpuDirectRdma: return 1;
    default: return 0;
  }
}

}  // namespace

SIM_EXPORT const char vram_simulator_mark[] = "vram-simulator";

SIM_EXPORT CUresult cuInit(unsigned flags) {
  Call call("cuInit", Needs::kNothing);
  if (call.refused()) return call.refused();
  if (flags != 0) return driver::kInvalidValue;
  if (call.machine().devices.empty()) return driver::kNoDevice;
  call.machine().initialized = true;
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuDriverGetVersion(int* version) {
  Call call("cuDriverGetVersion", Needs::kNothing);
  if (call.refused()) return call.refused();
  if (version == nullptr) return driver::kInvalidValue;
  *version = call.machine().driver_version;
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuGetErrorName(CUresult result, const char** name) {
  struct Name {
    CUresult result;
    const char* name;
  };
  static constexpr Name kNames[] = {
      {driver::kSuccess, "CUDA_SUCCESS"},
      {driver::kInvalidValue, "CUDA_ERROR_INVALID_VALUE"},
      {driver::kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY"},
      {driver::kNotInitialized, "CUDA_ERROR_NOT_INITIALIZED"},
      {driver::kDeinitialized, "CUDA_ERROR_DEINITIALIZED"},
      {driver::kDeviceUnavailable, "CUDA_ERROR_DEVICE_UNAVAILABLE"},
      {driver::kNoDevice, "CUDA_ERROR_NO_DEVICE"},
      {driver::kInvalidDevice, "CUDA_ERROR_INVALID_DEVICE"},
      {driver::kInvalidImage, "CUDA_ERROR_INVALID_IMAGE"},
      {driver::kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT"},
      {driver::kEccUncorrectable, "CUDA_ERROR_ECC_UNCORRECTABLE"},
      {driver::kInvalidPtx, "CUDA_ERROR_INVALID_PTX"},
      {driver::kInvalidHandle, "CUDA_ERROR_INVALID_HANDLE"},
      {driver::kNotFound, "CUDA_ERROR_NOT_FOUND"},
      {driver::kIllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS"},
      {driver::kLaunchOutOfResources, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"},
      {driver::kMisalignedAddress, "CUDA_ERROR_MISALIGNED_ADDRESS"},
      {driver::kLaunchFailed, "CUDA_ERROR_LAUNCH_FAILED"},
      {driver::kNotPermitted, "CUDA_ERROR_NOT_PERMITTED"},
      {driver::kNotSupported, "CUDA_ERROR_NOT_SUPPORTED"},
      {driver::kUnknown, "CUDA_ERROR_UNKNOWN"},
  };
  Call call("cuGetErrorName", Needs::kNothing);
  if (call.refused()) return call.refused();
  if (name == nullptr) return driver::kInvalidValue;
  for (const Name& each : kNames) {
    if (each.result == result) {
      *name = each.name;
      return driver::kSuccess;
    }
  }
  *name = nullptr;
  return driver::kInvalidValue;
}

SIM_EXPORT CUresult cuDeviceGetCount(int* count) {
  Call call("cuDeviceGetCount", Needs::kInitialized);
  if (call.refused()) return call.refused();
  if (count == nullptr) return driver::kInvalidValue;
  *count = static_cast<int>(call.machine().devices.size());
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  Call call("cuDeviceGet", Needs::kInitialized);
  if (call.refused()) return call.refused();
  if (device == nullptr) return driver::kInvalidValue;
  if (!IsDevice(call.machine(), ordinal)) return driver::kInvalidDevice;
  *device = ordinal;
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  Call call("cuDeviceGetName", Needs::kInitialized);
  if (call.refused()) return call.refused();
  if (name == nullptr || length < 1) return driver::kInvalidValue;
  if (!IsDevice(call.machine(), device)) return driver::kInvalidDevice;
  std::snprintf(name, static_cast<std::size_t>(length), "%s",
                call.machine().devices[static_cast<std::size_t>(device)].config.name.c_str());
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) {
  Call call("cuDeviceGetUuid_v2", Needs::kInitialized);
  if (call.refused()) return call.refused();
  if (uuid == nullptr) return driver::kInvalidValue;
  if (!IsDevice(call.machine(), device)) return driver::kInvalidDevice;
  std::memset(uuid->bytes, 0, sizeof uuid->bytes);
  std::memcpy(uuid->bytes, "SIM", 3);
  uuid->bytes[15] = static_cast<unsigned char>(device);
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  Call call("cuDeviceTotalMem_v2", Needs::kInitialized);
  if (call.refused()) return call.refused();
  if (bytes == nullptr) return driver::kInvalidValue;
  if (!IsDevice(call.machine(), device)) return driver::kInvalidDevice;
  *bytes = call.machine().devices[static_cast<std::size_t>(device)].config.memory_bytes;
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuDeviceGetAttribute(int* value, int attribute, CUdevice device) {
  Call call("cuDeviceGetAttribute", Needs::kInitialized);
  if (call.refused()) return call.refused();
  if (value == nullptr || attribute < 1 || attribute > kLastAttribute) return driver::kInvalidValue;
  if (!IsDevice(call.machine(), device)) return driver::kInvalidDevice;
  const auto& attributes = call.machine().devices[static_cast<std::size_t>(device)].config.attributes;
  const auto found = attributes.find(attribute);
  *value = found == attributes.end() ? DefaultAttribute(attribute) : found->second;
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  Call call("cuDevicePrimaryCtxRetain", Needs::kInitialized);
  if (call.refused()) return call.refused();
  if (context == nullptr) return driver::kInvalidValue;
  if (!IsDevice(call.machine(), device)) return driver::kInvalidDevice;
  Device& found = call.machine().devices[static_cast<std::size_t>(device)];
  if (found.lost) return found.lost;
  ++found.context_references;
  *context = reinterpret_cast<CUcontext>(static_cast<std::uintptr_t>(device) + 1);
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  Call call("cuDevicePrimaryCtxRelease_v2", Needs::kInitialized);
  if (call.refused()) return call.refused();
  if (!IsDevice(call.machine(), device)) return driver::kInvalidDevice;
  Device& found = call.machine().devices[static_cast<std::size_t>(device)];
  if (found.context_references == 0) return driver::kInvalidContext;
  --found.context_references;
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuCtxSetCurrent(CUcontext context) {
  Call call("cuCtxSetCurrent", Needs::kInitialized);
  if (call.refused()) return call.refused();
  const int ordinal = static_cast<int>(reinterpret_cast<std::uintptr_t>(context)) - 1;
  if (context != nullptr && !IsDevice(call.machine(), ordinal)) return driver::kInvalidContext;
  CurrentDevice() = ordinal;
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuStreamCreate(CUstream* stream, unsigned flags) {
  Call call("cuStreamCreate", Needs::kContext);
  if (call.refused()) return call.refused();
  if (stream == nullptr || flags > driver::kStreamNonBlocking) return driver::kInvalidValue;
  *stream = reinterpret_cast<CUstream>(static_cast<std::uintptr_t>(call.machine().next_id++));
  call.machine().streams.insert(*stream);
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuStreamDestroy_v2(CUstream stream) {
  Call call("cuStreamDestroy_v2", Needs::kContext);
  if (call.refused()) return call.refused();
  return call.machine().streams.erase(stream) == 1 ? driver::kSuccess : driver::kInvalidHandle;
}

SIM_EXPORT CUresult cuStreamSynchronize(CUstream stream) {
  Call call("cuStreamSynchronize", Needs::kContext);
  if (call.refused()) return call.refused();
  if (!call.machine().streams.contains(stream)) return driver::kInvalidHandle;
  for (const LateCopy& copy : call.machine().late_copies) std::memcpy(copy.destination, copy.bytes.data(), copy.bytes.size());
  call.machine().late_copies.clear();
  return driver::kSuccess;
}
