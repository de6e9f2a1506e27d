#include "device/mapping.h"

#include <limits>

#include "test/rig.h"

using namespace vram;
using namespace vram::test;

TEST("VP-001 an allocation is rounded to the granularity, counted, wiped and given back") {
  Rig rig;
  const control::Stats before = control::ReadStats();
  const auto mapping = rig.Allocate(2 * kMiB + 1);
  EXPECT_EQUAL(mapping->byte_length(), 2 * kMiB + 1);
  EXPECT_EQUAL(mapping->allocated_bytes(), 4 * kMiB);
  EXPECT(mapping->buffer_id().has_value());
  EXPECT_EQUAL(control::ReadStats().allocated_bytes, before.allocated_bytes + 4 * kMiB);
  EXPECT(rig.Release(*mapping).wiped);
  EXPECT_EQUAL(control::ReadStats().allocated_bytes, before.allocated_bytes);
  EXPECT_EQUAL(control::ReadStats().reservations, before.reservations);
}

TEST("CD-7 IO-1 test_allocation_overflow_prevented: zero and sizes that wrap are refused before the driver is called") {
  Rig rig;
  const std::uint64_t creates = control::ReadStats().calls["cuMemCreate"];
  EXPECT(CodeOf(rig.context.Allocate({0})) == Code::kInvalidInput);
  EXPECT(CodeOf(rig.context.Allocate({std::numeric_limits<std::uint64_t>::max()})) == Code::kInvalidInput);
  EXPECT_EQUAL(control::ReadStats().calls["cuMemCreate"], creates);
}

TEST("VP-004 RP-004 WORKER-4153 test_insufficient_vram: out of memory carries both numbers and leaves nothing") {
  Rig rig;
  const control::Stats before = control::ReadStats();
  const auto refused = rig.context.Allocate({100 * kMiB});
  EXPECT(CodeOf(refused) == Code::kInsufficientVram);
  EXPECT_EQUAL(refused.error().shortage->needed_bytes, 100 * kMiB);
  EXPECT_EQUAL(refused.error().shortage->available_bytes.value_or(0), 64 * kMiB - before.allocated_bytes);
  EXPECT_EQUAL(control::ReadStats().allocated_bytes, before.allocated_bytes);
}

TEST("VP-004 the shortage is told also when the free memory cannot be read") {
  Rig rig;
  control::FailCall("cuMemGetInfo_v2", driver::kNotPermitted, {});
  const auto refused = rig.context.Allocate({100 * kMiB});
  EXPECT(CodeOf(refused) == Code::kInsufficientVram);
  EXPECT(!refused.error().shortage->available_bytes.has_value());
}

TEST("PB-4 test_ram_fallback_rejected: an allocation that fails half-way is undone, whichever call failed") {
  for (const char* entry_point : {"cuMemCreate", "cuMemAddressReserve", "cuMemMap", "cuMemSetAccess", "cuMemRelease"}) {
    Rig rig;
    const control::Stats before = control::ReadStats();
    control::FailCall(entry_point, driver::kNotPermitted, {});
    const auto refused = rig.context.Allocate({kMiB});
    EXPECT(CodeOf(refused) == Code::kAllocationFailed);
    EXPECT_EQUAL(std::string(refused.error().answer->entry_point), std::string(entry_point));
    const control::Stats after = control::ReadStats();
    EXPECT_EQUAL(after.allocated_bytes, before.allocated_bytes);
    EXPECT_EQUAL(after.reservations, before.reservations);
    EXPECT(rig.failures->Take().empty());
  }
}

TEST("MS-005 undoing that fails is recorded, not thrown and not lost") {
  Rig rig;
  control::FailCall("cuMemSetAccess", driver::kNotPermitted, {});
  control::FailCall("cuMemUnmap", driver::kInvalidValue, {});
  EXPECT(CodeOf(rig.context.Allocate({kMiB})) == Code::kAllocationFailed);
  const auto failures = rig.failures->Take();
  EXPECT_EQUAL(failures.size(), 1U);
  EXPECT(failures.at(0).code == Code::kCudaFailed);
}

TEST("MS-005 memory with data whose owner is dropped unwiped stays mapped and is recorded") {
  Rig rig;
  const std::uint64_t before = control::ReadStats().allocated_bytes;
  auto mapping = rig.Loaded(Pattern(100));
  const auto id = mapping->buffer_id();
  mapping.reset();
  EXPECT_EQUAL(control::ReadStats().allocated_bytes, before + 2 * kMiB);
  const auto failures = rig.failures->Take();
  EXPECT_EQUAL(failures.size(), 1U);
  EXPECT(failures.at(0).buffer_id == id);
}
