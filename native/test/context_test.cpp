#include "device/context.h"

#include <limits>

#include "device/kernel_image.h"
#include "ops/known_answer.h"
#include "test/rig.h"

using namespace vram;
using namespace vram::test;

namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

struct Range {
  std::uint64_t offset;
  std::uint64_t length;
};

constexpr Range kInside[] = {{1000, 24}, {1024, 0}, {0, 0}, {0, 1024}};
constexpr Range kOutside[] = {{1000, 25}, {1024, 1}, {0, 1025}, {std::uint64_t{1} << 53, 1}, {kMax, 1}, {kMax - 1, 2}};

std::uint64_t Calls(const char* entry_point) { return control::ReadStats().calls[entry_point]; }

}  // namespace

TEST("BO-1 BO-2 test_bounds_checking test_safe_memcpy: a copy outside is refused before the driver is called") {
  Rig rig;
  const auto mapping = rig.Allocate(1024);
  std::vector<std::byte> buffer(2048);
  for (const auto& [offset, length] : kInside) {
    EXPECT(rig.context.CopyIn(*mapping, offset, std::span(buffer).first(length)).ok());
    EXPECT(rig.context.CopyOut(*mapping, offset, std::span(buffer).first(length)).ok());
  }
  const std::uint64_t in = Calls("cuMemcpyHtoDAsync_v2");
  const std::uint64_t out = Calls("cuMemcpyDtoHAsync_v2");
  for (const auto& [offset, length] : kOutside) {
    EXPECT(CodeOf(rig.context.CopyIn(*mapping, offset, std::span(buffer).first(length))) == Code::kInvalidInput);
    EXPECT(CodeOf(rig.context.CopyOut(*mapping, offset, std::span(buffer).first(length))) == Code::kInvalidInput);
  }
  EXPECT_EQUAL(Calls("cuMemcpyHtoDAsync_v2"), in);
  EXPECT_EQUAL(Calls("cuMemcpyDtoHAsync_v2"), out);
  EXPECT(rig.Release(*mapping).wiped);
}

TEST("BO-3 MS-006 test_pointer_arithmetic_safe: fills and launches outside are refused before the driver is called") {
  Rig rig;
  const auto mapping = rig.Allocate(1024);
  const std::uint64_t size = mapping->allocated_bytes();
  const std::uint64_t fills = Calls("cuMemsetD8Async");
  const std::uint64_t launches = Calls("cuLaunchKernel");
  for (const auto& [offset, length] : {Range{size, 1}, Range{0, size + 1}, Range{kMax, 2}, Range{1, kMax}}) {
    EXPECT(CodeOf(rig.context.FillBytes(*mapping, offset, length, 0)) == Code::kInvalidInput);
  }
  EXPECT(CodeOf(rig.context.FillWords(*mapping, 0, kMax / 2, 0)) == Code::kInvalidInput);
  EXPECT(CodeOf(rig.context.FillWords(*mapping, 2, 1, 0)) == Code::kInvalidInput);
  const std::uint64_t blocks = size / 4096;
  EXPECT(CodeOf(rig.context.HashBlocks(*mapping, 0, rig.workspace->mapping(), 0, blocks + 1)) == Code::kInvalidInput);
  EXPECT(CodeOf(rig.context.HashBlocks(*mapping, 4096, rig.workspace->mapping(), 0, blocks)) == Code::kInvalidInput);
  EXPECT(CodeOf(rig.context.HashBlocks(*mapping, 1, rig.workspace->mapping(), 0, 1)) == Code::kInvalidInput);
  EXPECT(CodeOf(rig.context.HashBlocks(*mapping, 0, rig.workspace->mapping(), 16, 1)) == Code::kInvalidInput);
  EXPECT(CodeOf(rig.context.HashBlocks(*mapping, 0, rig.workspace->mapping(), 0, 0)) == Code::kInvalidInput);
  EXPECT(CodeOf(rig.context.HashBlocks(*mapping, 0, rig.workspace->mapping(), 0, std::uint64_t{1} << 32)) == Code::kInvalidInput);
  const std::uint64_t far = rig.workspace->mapping().allocated_bytes() - 32;
  EXPECT(CodeOf(rig.context.HashBlocks(*mapping, 0, rig.workspace->mapping(), far, 2)) == Code::kInvalidInput);
  EXPECT_EQUAL(Calls("cuMemsetD8Async"), fills);
  EXPECT_EQUAL(Calls("cuLaunchKernel"), launches);
}

TEST("MS-002 test_safe_cuda_operations: nothing reaches a freed allocation") {
  Rig rig;
  const auto mapping = rig.Allocate(1024);
  EXPECT(rig.Release(*mapping).wiped);
  std::vector<std::byte> buffer(16);
  EXPECT(CodeOf(rig.context.CopyIn(*mapping, 0, buffer)) == Code::kInvalidInput);
  EXPECT(CodeOf(rig.context.CopyOut(*mapping, 0, buffer)) == Code::kInvalidInput);
  EXPECT(CodeOf(rig.context.FillBytes(*mapping, 0, 1, 0)) == Code::kInvalidInput);
  EXPECT(CodeOf(mapping->Freeze()) == Code::kInvalidInput);
  EXPECT(CodeOf(rig.context.ReadAttribute(*mapping, driver::kPointerBufferId)) == Code::kInvalidInput);
}

TEST("A frozen mapping refuses writing and keeps its bytes") {
  Rig rig;
  const auto data = Pattern(5000);
  const auto mapping = rig.Loaded(data);
  Must(mapping->Freeze());
  std::vector<std::byte> other(5000);
  EXPECT(!rig.context.CopyIn(*mapping, 0, other).ok());
  EXPECT(!rig.context.FillBytes(*mapping, 0, 1, 0xFF).ok());
  std::vector<std::byte> back(5000);
  Must(rig.context.CopyOut(*mapping, 0, back));
  Must(rig.context.Synchronize());
  EXPECT(back == data);
  EXPECT(rig.Release(*mapping).wiped);
}

TEST("Opening undoes everything when any of its calls fails") {
  for (const char* entry_point : {"cuDeviceGet", "cuDevicePrimaryCtxRetain", "cuCtxSetCurrent", "cuStreamCreate",
                                  "cuModuleLoadDataEx", "cuModuleGetFunction", "cuMemGetAllocationGranularity"}) {
    control::Reset({control::DeviceOptions()}, kDriverVersion);
    const auto failures = std::make_shared<device::FailureList>();
    device::Context context(OpenSimulator(), failures);
    control::FailCall(entry_point, driver::kNotSupported, {});
    const Status opened = context.Open(0);
    EXPECT(CodeOf(opened) == Code::kCudaFailed);
    EXPECT_EQUAL(std::string(opened.error().answer->entry_point), std::string(entry_point));
    EXPECT_EQUAL(opened.error().answer->result_name, std::string("CUDA_ERROR_NOT_SUPPORTED"));
    const control::Stats stats = control::ReadStats();
    EXPECT_EQUAL(stats.contexts, 0U);
    EXPECT_EQUAL(stats.streams, 0U);
    EXPECT_EQUAL(stats.modules, 0U);
    EXPECT(failures->Take().empty());
  }
}

TEST("Closing records what the driver refuses and goes on") {
  control::Reset({control::DeviceOptions()}, kDriverVersion);
  const auto failures = std::make_shared<device::FailureList>();
  device::Context context(OpenSimulator(), failures);
  Must(context.Open(0));
  control::FailCall("cuModuleUnload", driver::kInvalidValue, {});
  control::FailCall("cuStreamDestroy_v2", driver::kInvalidValue, {});
  context.Close();
  context.Close();
  EXPECT_EQUAL(failures->Take().size(), 2U);
  EXPECT_EQUAL(control::ReadStats().contexts, 0U);
}

TEST("After a sticky answer nothing of the device is called any more and every error is DEVICE_LOST") {
  Rig rig;
  const auto mapping = rig.Allocate(1024);
  control::FailCall("cuStreamSynchronize", driver::kIllegalAddress, {});
  EXPECT(CodeOf(rig.context.Synchronize()) == Code::kDeviceLost);
  const auto before = control::ReadStats().calls;
  EXPECT(CodeOf(rig.context.Memory()) == Code::kDeviceLost);
  EXPECT(CodeOf(rig.context.Allocate({1})) == Code::kDeviceLost);
  EXPECT(CodeOf(rig.Digest(*mapping)) == Code::kDeviceLost);
  const ops::ReleaseReport report = rig.Release(*mapping);
  EXPECT(report.lost);
  EXPECT(!report.wiped);
  EXPECT_EQUAL(control::ReadStats().calls == before, true);
}

TEST("The known-answer test accepts the kernel that ships and sees one that does nothing") {
  Rig rig;
  Must(ops::RunKnownAnswerTest(rig.context, *rig.workspace));
  control::SkipKernel({.after = 0, .sticky = true});
  EXPECT(CodeOf(ops::RunKnownAnswerTest(rig.context, *rig.workspace)) == Code::kCudaFailed);
}

TEST("The known-answer test sees data that did not arrive") {
  Rig rig;
  control::FaultCopy(control::Direction::kToDevice, control::CopyDefect::kDrop, {});
  EXPECT(CodeOf(ops::RunKnownAnswerTest(rig.context, *rig.workspace)) == Code::kCudaFailed);
}

TEST("The kernel image is PTX text that ends in a NUL") {
  const std::string text(reinterpret_cast<const char*>(device::kKernelImage), device::kKernelImageBytes);
  EXPECT(text.find(".version 6.0") != std::string::npos);
  EXPECT(text.find('\0') == std::string::npos);
  EXPECT_EQUAL(int{device::kKernelImage[device::kKernelImageBytes]}, 0);
}
