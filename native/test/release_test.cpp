#include "ops/release_run.h"

#include "test/rig.h"

using namespace vram;
using namespace vram::test;

namespace {

bool LastFreedWasZero() { return control::ReadStats().freed.back().zeroed; }

}  // namespace

TEST("MS-004 a frozen allocation is thawed, zeroed, checked and freed") {
  Rig rig;
  const auto mapping = rig.Loaded(Pattern(3 * kMiB));
  Must(mapping->Freeze());
  const ops::ReleaseReport report = rig.Release(*mapping);
  EXPECT(report.wiped);
  EXPECT(!report.lost);
  EXPECT(!report.cause);
  EXPECT(LastFreedWasZero());
  EXPECT_EQUAL(control::ReadStats().freed.back().buffer_id, *mapping->buffer_id());
}

TEST("MS-004 one bit that comes back after the wipe keeps the memory mapped, and a later release frees it") {
  Rig rig;
  const auto mapping = rig.Loaded(Pattern(kMiB));
  const std::uint64_t held = control::ReadStats().allocated_bytes;
  control::FlipBitAt(*mapping->buffer_id(), 2 * kMiB - 1, 7, "cuLaunchKernel", 0);
  const ops::ReleaseReport report = rig.Release(*mapping);
  EXPECT(!report.wiped);
  EXPECT(!report.lost);
  EXPECT(report.cause->code == Code::kIntegrityViolation);
  EXPECT_EQUAL(control::ReadStats().allocated_bytes, held);
  EXPECT(rig.Release(*mapping).wiped);
  EXPECT(LastFreedWasZero());
}

TEST("MS-004 any call that fails before the wipe is shown keeps the memory mapped with the cause") {
  for (const char* entry_point : {"cuMemSetAccess", "cuMemsetD8Async", "cuStreamSynchronize", "cuLaunchKernel",
                                  "cuMemcpyDtoHAsync_v2"}) {
    Rig rig;
    const auto mapping = rig.Loaded(Pattern(5000));
    const std::uint64_t held = control::ReadStats().allocated_bytes;
    control::FailCall(entry_point, driver::kNotPermitted, {});
    const ops::ReleaseReport report = rig.Release(*mapping);
    EXPECT(!report.wiped);
    EXPECT(report.cause->code == Code::kCudaFailed);
    EXPECT_EQUAL(control::ReadStats().allocated_bytes, held);
    EXPECT(rig.Release(*mapping).wiped);
    EXPECT(LastFreedWasZero());
  }
}

TEST("MS-004 a kernel that is skipped during the check is no proof of a wipe") {
  Rig rig;
  const auto mapping = rig.Loaded(Pattern(5000));
  control::SkipKernel({.after = 0, .sticky = true});
  EXPECT(!rig.Release(*mapping).wiped);
}

TEST("MS-004 memory that is wiped but cannot be freed says so, and freeing goes on where it stopped") {
  for (const char* entry_point : {"cuMemUnmap", "cuMemAddressFree"}) {
    Rig rig;
    const control::Stats before = control::ReadStats();
    const auto mapping = rig.Loaded(Pattern(100));
    control::FailCall(entry_point, driver::kNotPermitted, {});
    const ops::ReleaseReport report = rig.Release(*mapping);
    EXPECT(report.wiped);
    EXPECT_EQUAL(std::string(report.cause->answer->entry_point), std::string(entry_point));
    EXPECT(!rig.Release(*mapping).cause);
    EXPECT_EQUAL(control::ReadStats().allocated_bytes, before.allocated_bytes);
    EXPECT_EQUAL(control::ReadStats().reservations, before.reservations);
  }
}

TEST("A lost device is told as lost, not as wiped") {
  for (const int code : {46, 214, 700, 719, 999}) {
    Rig rig;
    const auto mapping = rig.Loaded(Pattern(5000));
    control::LoseDevices(code);
    const ops::ReleaseReport report = rig.Release(*mapping);
    EXPECT(!report.wiped);
    EXPECT(report.lost);
    EXPECT(report.cause->code == Code::kDeviceLost);
    EXPECT_EQUAL(report.cause->answer->result, code);
  }
}
