// The simulated driver's own rules, as far as the addon relies on them.
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "simulator/control.h"
#include "simulator/shared_memory.h"
#include "driver/abi.h"
#include "test/harness.h"

extern "C" {
#define X(symbol, parameters) CUresult symbol parameters;
#include "driver/entry_points.inc"
#undef X
CUresult cuMemAlloc_v2(CUdeviceptr* address, std::size_t bytes);
CUresult cuMemFree_v2(CUdeviceptr address);
}

namespace {

using namespace vram::driver;
namespace control = vram::simulator::control;

constexpr std::size_t kBytes = std::size_t{4} << 20;

struct Memory {
  CUdeviceptr address = 0;
  CUstream stream = nullptr;
};

void SetAccess(CUdeviceptr address, int flags) {
  const CUmemAccessDesc access{{kLocationDevice, 0}, flags};
  EXPECT_EQUAL(cuMemSetAccess(address, kBytes, &access, 1), kSuccess);
}

void OpenDevice(const std::vector<control::DeviceOptions>& devices = {{}}) {
  control::Reset(devices, 12040);
  EXPECT_EQUAL(cuInit(0), kSuccess);
  CUcontext context = nullptr;
  EXPECT_EQUAL(cuDevicePrimaryCtxRetain(&context, 0), kSuccess);
  EXPECT_EQUAL(cuCtxSetCurrent(context), kSuccess);
}

CUmemAllocationProp Properties() {
  CUmemAllocationProp properties{};
  properties.type = kDeviceNonMigrating;
  properties.location = {kLocationDevice, 0};
  return properties;
}

Memory Allocate() {
  Memory memory;
  const CUmemAllocationProp properties = Properties();
  CUmemGenericAllocationHandle handle = 0;
  EXPECT_EQUAL(cuMemCreate(&handle, kBytes, &properties, 0), kSuccess);
  EXPECT_EQUAL(cuMemAddressReserve(&memory.address, kBytes, 0, 0, 0), kSuccess);
  EXPECT_EQUAL(cuMemMap(memory.address, kBytes, 0, handle, 0), kSuccess);
  EXPECT_EQUAL(cuMemRelease(handle), kSuccess);
  EXPECT_EQUAL(cuStreamCreate(&memory.stream, kStreamNonBlocking), kSuccess);
  return memory;
}

void Free(const Memory& memory) {
  EXPECT_EQUAL(cuMemUnmap(memory.address, kBytes), kSuccess);
  EXPECT_EQUAL(cuMemAddressFree(memory.address, kBytes), kSuccess);
}

std::size_t FreeBytes() {
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  EXPECT_EQUAL(cuMemGetInfo_v2(&free_bytes, &total_bytes), kSuccess);
  return free_bytes;
}

std::uint64_t Attribute(CUdeviceptr address, int attribute) {
  std::uint64_t value = 0;
  EXPECT_EQUAL(cuPointerGetAttribute(&value, attribute, address), kSuccess);
  return value;
}

TEST("simulator: nothing works before cuInit or without a context") {
  control::Reset({{}}, 12040);
  int count = 0;
  EXPECT_EQUAL(cuDeviceGetCount(&count), kNotInitialized);
  EXPECT_EQUAL(cuInit(0), kSuccess);
  EXPECT_EQUAL(cuCtxSetCurrent(nullptr), kSuccess);
  std::size_t bytes = 0;
  EXPECT_EQUAL(cuMemGetInfo_v2(&bytes, &bytes), kInvalidContext);
  control::Reset({}, 12040);
  EXPECT_EQUAL(cuInit(0), kNoDevice);
}

TEST("simulator: linear memory is whole granules, counts as used, and is freed by its own call alone") {
  OpenDevice({{kBytes, "small", {}}});
  CUdeviceptr address = 0;
  EXPECT_EQUAL(cuMemAlloc_v2(&address, 0), kInvalidValue);
  EXPECT_EQUAL(cuMemAlloc_v2(&address, kBytes + 1), kOutOfMemory);
  EXPECT_EQUAL(cuMemAlloc_v2(&address, SIZE_MAX), kOutOfMemory);
  EXPECT_EQUAL(cuMemAlloc_v2(&address, 5), kSuccess);
  EXPECT_EQUAL(control::ReadStats().allocated_bytes, kBytes / 2);
  CUdeviceptr second = 0;
  EXPECT_EQUAL(cuMemAlloc_v2(&second, kBytes), kOutOfMemory);
  CUstream stream = nullptr;
  EXPECT_EQUAL(cuStreamCreate(&stream, kStreamNonBlocking), kSuccess);
  unsigned char bytes[5] = {1, 2, 3, 4, 5};
  unsigned char back[5] = {};
  EXPECT_EQUAL(cuMemcpyHtoDAsync_v2(address, bytes, 5, stream), kSuccess);
  EXPECT_EQUAL(cuMemcpyDtoHAsync_v2(back, address, 5, stream), kSuccess);
  EXPECT(std::memcmp(bytes, back, 5) == 0);
  EXPECT_EQUAL(cuMemUnmap(address, kBytes / 2), kInvalidValue);
  EXPECT_EQUAL(cuMemFree_v2(address + 1), kInvalidValue);
  EXPECT_EQUAL(cuMemFree_v2(address), kSuccess);
  EXPECT_EQUAL(cuMemFree_v2(address), kInvalidValue);
  EXPECT_EQUAL(control::ReadStats().allocated_bytes, 0u);
  EXPECT_EQUAL(control::ReadStats().reservations, 0u);
  const Memory mapped = Allocate();
  EXPECT_EQUAL(cuMemFree_v2(mapped.address), kInvalidValue);
  Free(mapped);
}

TEST("simulator: memory that another process uses is not free, and is to be had once it is given back") {
  char path[] = "/tmp/vram-shared-XXXXXX";
  close(mkstemp(path));
  OpenDevice({{2 * kBytes, "shared", {}, path}});
  const auto other = vram::simulator::SharedMemory::Open(path);
  EXPECT(other->Take(kBytes, 2 * kBytes));
  const Memory memory = Allocate();
  EXPECT_EQUAL(FreeBytes(), 0u);
  CUmemGenericAllocationHandle handle = 0;
  const CUmemAllocationProp properties = Properties();
  EXPECT_EQUAL(cuMemCreate(&handle, kBytes, &properties, 0), kOutOfMemory);
  CUdeviceptr linear = 0;
  EXPECT_EQUAL(cuMemAlloc_v2(&linear, 1), kOutOfMemory);
  EXPECT_EQUAL(control::ReadStats().allocated_bytes, kBytes);
  EXPECT(!control::Reset({{kBytes, "refused", {}, "/dev/null"}}, 12040));
  EXPECT_EQUAL(other->UsedBytes(), 2 * kBytes);
  other->Give(kBytes);
  EXPECT_EQUAL(cuMemCreate(&handle, kBytes, &properties, 0), kSuccess);
  EXPECT_EQUAL(cuMemRelease(handle), kSuccess);
  Free(memory);
  EXPECT_EQUAL(FreeBytes(), 2 * kBytes);
  OpenDevice();
  unlink(path);
}

TEST("simulator: an attribute that no driver has is an invalid value") {
  OpenDevice();
  int value = -1;
  EXPECT_EQUAL(cuDeviceGetAttribute(&value, 100000, 0), kInvalidValue);
  EXPECT_EQUAL(cuDeviceGetAttribute(&value, 0, 0), kInvalidValue);
  EXPECT_EQUAL(cuDeviceGetAttribute(&value, 75, 0), kSuccess);
}

TEST("simulator: memory is copied, set and read back only as its mapping allows") {
  OpenDevice();
  const Memory memory = Allocate();
  unsigned char bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQUAL(cuMemcpyHtoDAsync_v2(memory.address, bytes, 8, memory.stream), kInvalidValue);
  SetAccess(memory.address, kAccessReadWrite);
  EXPECT_EQUAL(cuMemcpyHtoDAsync_v2(memory.address + kBytes - 8, bytes, 8, memory.stream), kSuccess);
  EXPECT_EQUAL(cuMemcpyHtoDAsync_v2(memory.address + kBytes - 7, bytes, 8, memory.stream), kInvalidValue);
  EXPECT_EQUAL(cuMemsetD32Async(memory.address, 0x04030201, 2, memory.stream), kSuccess);
  SetAccess(memory.address, kAccessRead);
  EXPECT_EQUAL(cuMemsetD8Async(memory.address, 0, 1, memory.stream), kInvalidValue);
  EXPECT_EQUAL(cuMemcpyHtoDAsync_v2(memory.address, bytes, 8, memory.stream), kInvalidValue);
  unsigned char back[8] = {};
  EXPECT_EQUAL(cuMemcpyDtoHAsync_v2(back, memory.address, 8, memory.stream), kSuccess);
  EXPECT(std::memcmp(back, "\x01\x02\x03\x04\x01\x02\x03\x04", 8) == 0);
  Free(memory);
}

TEST("simulator: pointer attributes tell what the allocation is; ids are never used twice") {
  OpenDevice();
  const Memory first = Allocate();
  SetAccess(first.address, kAccessRead);
  EXPECT_EQUAL(Attribute(first.address, kPointerMemoryType), kMemoryTypeDevice);
  EXPECT_EQUAL(Attribute(first.address, kPointerAccessFlags), static_cast<std::uint64_t>(kAccessRead));
  EXPECT_EQUAL(Attribute(first.address + 5, kPointerRangeStart), first.address);
  EXPECT_EQUAL(Attribute(first.address, kPointerRangeSize), kBytes);
  EXPECT_EQUAL(Attribute(first.address, kPointerIsManaged), 0u);
  std::uint64_t value = 0;
  EXPECT_EQUAL(cuPointerGetAttribute(&value, kPointerHostPointer, first.address), kInvalidValue);
  const std::uint64_t buffer = Attribute(first.address, kPointerBufferId);
  const std::uint64_t block = Attribute(first.address, kPointerMemoryBlockId);
  Free(first);
  EXPECT_EQUAL(cuPointerGetAttribute(&value, kPointerBufferId, first.address), kInvalidValue);
  OpenDevice();
  const Memory second = Allocate();
  EXPECT(Attribute(second.address, kPointerBufferId) != buffer);
  EXPECT(Attribute(second.address, kPointerMemoryBlockId) != block);
  Free(second);
}

TEST("simulator: memory is bounded, granular, and counted until handle and mapping are gone") {
  OpenDevice({{kBytes, "small", {}}});
  const CUmemAllocationProp properties = Properties();
  CUmemGenericAllocationHandle handle = 0;
  EXPECT_EQUAL(cuMemCreate(&handle, 4096, &properties, 0), kInvalidValue);
  EXPECT_EQUAL(cuMemCreate(&handle, 2 * kBytes, &properties, 0), kOutOfMemory);
  const Memory memory = Allocate();
  EXPECT_EQUAL(cuMemCreate(&handle, std::size_t{2} << 20, &properties, 0), kOutOfMemory);
  EXPECT_EQUAL(cuMemAddressFree(memory.address, kBytes), kInvalidValue);
  SetAccess(memory.address, kAccessReadWrite);
  EXPECT_EQUAL(cuMemsetD8Async(memory.address + 100, 1, 1, memory.stream), kSuccess);
  Free(memory);
  const control::Stats stats = control::ReadStats();
  EXPECT_EQUAL(stats.allocated_bytes, 0u);
  EXPECT(stats.allocations.empty() && stats.reservations == 0);
  EXPECT(stats.freed.size() == 1 && !stats.freed[0].zeroed);
}

TEST("simulator: a fault applies to the call it was set for, once or for good") {
  OpenDevice();
  control::FailCall("cuMemGetInfo_v2", kUnknown - 1, {1, false});
  std::size_t bytes = 0;
  EXPECT_EQUAL(cuMemGetInfo_v2(&bytes, &bytes), kSuccess);
  EXPECT_EQUAL(cuMemGetInfo_v2(&bytes, &bytes), kUnknown - 1);
  EXPECT_EQUAL(cuMemGetInfo_v2(&bytes, &bytes), kSuccess);
  control::FailCall("cuMemGetInfo_v2", kLaunchFailed, {});
  EXPECT_EQUAL(cuMemGetInfo_v2(&bytes, &bytes), kLaunchFailed);
  CUstream stream = nullptr;
  EXPECT_EQUAL(cuStreamCreate(&stream, 0), kLaunchFailed);
}

TEST("simulator: copies are dropped, cut or late, and still answer success") {
  OpenDevice();
  const Memory memory = Allocate();
  SetAccess(memory.address, kAccessReadWrite);
  const unsigned char ones[4] = {1, 1, 1, 1};
  unsigned char back[4] = {};
  const auto copy_and_read = [&](bool synchronize) {
    EXPECT_EQUAL(cuMemsetD8Async(memory.address, 0, 4, memory.stream), kSuccess);
    EXPECT_EQUAL(cuMemcpyHtoDAsync_v2(memory.address, ones, 4, memory.stream), kSuccess);
    if (synchronize) EXPECT_EQUAL(cuStreamSynchronize(memory.stream), kSuccess);
    EXPECT_EQUAL(cuMemcpyDtoHAsync_v2(back, memory.address, 4, memory.stream), kSuccess);
    return static_cast<int>(back[0]) + back[1] + back[2] + back[3];
  };
  EXPECT_EQUAL(copy_and_read(false), 4);
  control::FaultCopy(control::Direction::kToDevice, control::CopyDefect::kDrop, {});
  EXPECT_EQUAL(copy_and_read(true), 0);
  control::FaultCopy(control::Direction::kToDevice, control::CopyDefect::kShort, {});
  EXPECT_EQUAL(copy_and_read(true), 2);
  control::FaultCopy(control::Direction::kToDevice, control::CopyDefect::kLate, {});
  EXPECT_EQUAL(copy_and_read(false), 0);
  EXPECT_EQUAL(cuStreamSynchronize(memory.stream), kSuccess);
  EXPECT_EQUAL(cuMemcpyDtoHAsync_v2(back, memory.address, 4, memory.stream), kSuccess);
  EXPECT_EQUAL(static_cast<int>(back[3]), 1);
  Free(memory);
}

TEST("simulator: a bit flips behind the interface, at once or before a later call") {
  OpenDevice();
  const Memory memory = Allocate();
  SetAccess(memory.address, kAccessRead);
  const std::uint64_t buffer = Attribute(memory.address, kPointerBufferId);
  EXPECT(control::FlipBit(buffer, 3, 7));
  EXPECT(!control::FlipBit(buffer, kBytes, 0));
  EXPECT(!control::FlipBit(buffer + 1000, 0, 0));
  control::FlipBitAt(buffer, 0, 0, "cuMemcpyDtoHAsync_v2", 1);
  unsigned char back[4] = {};
  EXPECT_EQUAL(cuMemcpyDtoHAsync_v2(back, memory.address, 4, memory.stream), kSuccess);
  EXPECT(back[0] == 0 && back[3] == 0x80);
  EXPECT_EQUAL(cuMemcpyDtoHAsync_v2(back, memory.address, 4, memory.stream), kSuccess);
  EXPECT(back[0] == 1);
  Free(memory);
}

TEST("simulator: a kernel fault is sticky and shows at the next call") {
  OpenDevice();
  const Memory memory = Allocate();
  SetAccess(memory.address, kAccessRead);
  const char* const ptx =
      ".version 6.0 .target sm_60 .address_size 64 .visible .entry store(.param .u64 to) {"
      " .reg .b32 %r<2>; .reg .b64 %rd<2>; ld.param.u64 %rd1, [to]; mov.u32 %r1, 5; st.global.u32 [%rd1], %r1; ret; }";
  CUmodule module = nullptr;
  CUfunction function = nullptr;
  EXPECT_EQUAL(cuModuleLoadDataEx(&module, ptx, 0, nullptr, nullptr), kSuccess);
  EXPECT_EQUAL(cuModuleGetFunction(&function, module, "other"), kNotFound);
  EXPECT_EQUAL(cuModuleGetFunction(&function, module, "store"), kSuccess);
  CUdeviceptr to = memory.address;
  void* parameters[] = {&to};
  EXPECT_EQUAL(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, memory.stream, parameters, nullptr), kSuccess);
  EXPECT_EQUAL(cuStreamSynchronize(memory.stream), kIllegalAddress);
  EXPECT_EQUAL(cuMemUnmap(memory.address, kBytes), kIllegalAddress);
}

}  // namespace
