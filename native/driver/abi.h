// The part of the CUDA driver's binary interface that this project uses, declared on our own so that neither building
// nor running needs a CUDA toolkit. native/test/abi_check.cpp compares it with cuda.h where a toolkit is present.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

using CUresult = int;
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUmemGenericAllocationHandle = unsigned long long;
using CUcontext = struct CUctx_st*;
using CUstream = struct CUstream_st*;
using CUmodule = struct CUmod_st*;
using CUfunction = struct CUfunc_st*;

struct CUuuid {
  unsigned char bytes[16];
};

struct CUmemLocation {
  int type;
  int id;
};

struct CUmemAllocationProp {
  int type;
  int requestedHandleTypes;
  CUmemLocation location;
  void* win32HandleMetaData;
  struct {
    unsigned char compressionType;
    unsigned char gpuDirectRDMACapable;
    unsigned short usage;
    unsigned char reserved[4];
  } allocFlags;
};

struct CUmemAccessDesc {
  CUmemLocation location;
  int flags;
};

}  // extern "C"

namespace vram::driver {

// CUresult
inline constexpr CUresult kSuccess = 0;
inline constexpr CUresult kInvalidValue = 1;
inline constexpr CUresult kOutOfMemory = 2;
inline constexpr CUresult kNotInitialized = 3;
inline constexpr CUresult kDeinitialized = 4;
inline constexpr CUresult kDeviceUnavailable = 46;
inline constexpr CUresult kNoDevice = 100;
inline constexpr CUresult kInvalidDevice = 101;
inline constexpr CUresult kInvalidImage = 200;
inline constexpr CUresult kInvalidContext = 201;
inline constexpr CUresult kEccUncorrectable = 214;
inline constexpr CUresult kInvalidPtx = 218;
inline constexpr CUresult kInvalidHandle = 400;
inline constexpr CUresult kNotFound = 500;
inline constexpr CUresult kIllegalAddress = 700;
inline constexpr CUresult kLaunchOutOfResources = 701;
inline constexpr CUresult kHostMemoryAlreadyRegistered = 712;
inline constexpr CUresult kHostMemoryNotRegistered = 713;
inline constexpr CUresult kMisalignedAddress = 716;
inline constexpr CUresult kLaunchFailed = 719;
inline constexpr CUresult kNotPermitted = 800;
inline constexpr CUresult kNotSupported = 801;
inline constexpr CUresult kUnknown = 999;

// CUmemAllocationType: the driver calls it "pinned"; it is device memory that does not migrate.
inline constexpr int kDeviceNonMigrating = 1;
// CUmemLocationType
inline constexpr int kLocationDevice = 1;
// CUmemAllocationGranularity_flags
inline constexpr int kGranularityMinimum = 0;
// CUmemAllocationHandleType
inline constexpr int kHandleTypeNone = 0;
// CUmemAccess_flags; CU_POINTER_ATTRIBUTE_ACCESS_FLAGS answers in the same values
inline constexpr int kAccessNone = 0;
inline constexpr int kAccessRead = 1;
inline constexpr int kAccessReadWrite = 3;
// CUmemorytype
inline constexpr unsigned kMemoryTypeHost = 1;
inline constexpr unsigned kMemoryTypeDevice = 2;
inline constexpr unsigned kMemoryTypeArray = 3;
inline constexpr unsigned kMemoryTypeUnified = 4;
// CUstream_flags
inline constexpr unsigned kStreamNonBlocking = 1;

// CUdevice_attribute
enum DeviceAttribute : int {
  kAttrMultiprocessorCount = 16,
  kAttrIntegrated = 18,
  kAttrCanMapHostMemory = 19,
  kAttrComputeMode = 20,
  kAttrEccEnabled = 32,
  kAttrUnifiedAddressing = 41,
  kAttrComputeCapabilityMajor = 75,
  kAttrComputeCapabilityMinor = 76,
  kAttrManagedMemory = 83,
  kAttrPageableMemoryAccess = 88,
  kAttrConcurrentManagedAccess = 89,
  kAttrPageableMemoryAccessUsesHostPageTables = 100,
  kAttrDirectManagedMemAccessFromHost = 101,
  kAttrVirtualMemoryManagement = 102,
  kAttrGpuDirectRdma = 116,
  kAttrNumaConfig = 130,
  kAttrMpsEnabled = 133,
};

// CUpointer_attribute
enum PointerAttribute : int {
  kPointerMemoryType = 2,
  kPointerHostPointer = 4,
  kPointerBufferId = 7,
  kPointerIsManaged = 8,
  kPointerDeviceOrdinal = 9,
  kPointerIsLegacyIpcCapable = 10,
  kPointerRangeStart = 11,
  kPointerRangeSize = 12,
  kPointerAllowedHandleTypes = 14,
  kPointerIsGpuDirectRdmaCapable = 15,
  kPointerAccessFlags = 16,
  kPointerMempoolHandle = 17,
  kPointerMemoryBlockId = 20,
};

}  // namespace vram::driver
