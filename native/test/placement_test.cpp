#include "ops/placement.h"

#include "test/rig.h"

using namespace vram;
using namespace vram::test;

TEST("VP-005 a frozen allocation's facts are read one by one and all good") {
  Rig rig(64 * kMiB, 2);
  const auto mapping = rig.Loaded(Pattern(10));
  Must(mapping->Freeze());
  const std::uint64_t reads = control::ReadStats().calls["cuPointerGetAttribute"];
  const ops::Placement facts = Must(ops::ReadPlacement(rig.context, *mapping));
  EXPECT(facts.memory_type == ops::MemoryType::kDevice);
  EXPECT(facts.is_managed == false);
  EXPECT(facts.host_pointer == false);
  EXPECT(facts.device_ordinal == 0);
  EXPECT(facts.range_covers_allocation == true);
  EXPECT(facts.allowed_handle_types == 0U);
  EXPECT(facts.legacy_ipc_capable == false);
  EXPECT(facts.gpu_direct_rdma_capable == false);
  EXPECT(facts.mempool == false);
  EXPECT(facts.access == ops::AccessFlags::kRead);
  EXPECT(facts.accessible_from_other_devices == false);
  EXPECT(facts.buffer_id == mapping->buffer_id());
  EXPECT(facts.block_id.has_value());
  EXPECT_EQUAL(control::ReadStats().calls["cuPointerGetAttribute"], reads + 13);
  EXPECT(rig.Release(*mapping).wiped);
}

TEST("PB-1 test_uma_detection: managed and host memory show in the facts") {
  Rig rig;
  const auto mapping = rig.Allocate(10);
  control::SetPointerAttribute(driver::kPointerIsManaged, 1, 0);
  control::SetPointerAttribute(driver::kPointerMemoryType, driver::kMemoryTypeHost, 0);
  control::SetPointerAttribute(driver::kPointerHostPointer, 1, 0);
  control::SetPointerAttribute(driver::kPointerMempoolHandle, 1, 0);
  const ops::Placement facts = Must(ops::ReadPlacement(rig.context, *mapping));
  EXPECT(facts.is_managed == true);
  EXPECT(facts.memory_type == ops::MemoryType::kHost);
  EXPECT(facts.host_pointer == true);
  EXPECT(facts.mempool == true);
}

TEST("A null host pointer and a refused one are good; any other refusal is unknown") {
  Rig rig;
  const auto mapping = rig.Allocate(10);
  const auto host_pointer = [&] { return Must(ops::ReadPlacement(rig.context, *mapping)).host_pointer; };
  control::SetPointerAttribute(driver::kPointerHostPointer, 0, 0);
  EXPECT(host_pointer() == false);
  control::SetPointerAttribute(driver::kPointerHostPointer, 0, driver::kNotSupported);
  EXPECT(host_pointer() == false);
  control::SetPointerAttribute(driver::kPointerHostPointer, 0, driver::kNotPermitted);
  EXPECT(!host_pointer().has_value());
}

TEST("A fact that cannot be read is unknown, never good") {
  for (const int attribute : {2, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 20}) {
    Rig rig;
    const auto mapping = rig.Allocate(10);
    control::SetPointerAttribute(attribute, 0, driver::kNotSupported);
    const ops::Placement facts = Must(ops::ReadPlacement(rig.context, *mapping));
    const int known = facts.memory_type.has_value() + facts.buffer_id.has_value() + facts.is_managed.has_value() +
                      facts.device_ordinal.has_value() + facts.legacy_ipc_capable.has_value() +
                      facts.range_covers_allocation.has_value() + facts.allowed_handle_types.has_value() +
                      facts.gpu_direct_rdma_capable.has_value() + facts.access.has_value() + facts.mempool.has_value() +
                      facts.block_id.has_value();
    EXPECT_EQUAL(known, 10);
  }
}

TEST("A range that does not cover the allocation is told") {
  Rig rig;
  const auto mapping = rig.Allocate(10);
  control::SetPointerAttribute(driver::kPointerRangeSize, 4096, 0);
  EXPECT(Must(ops::ReadPlacement(rig.context, *mapping)).range_covers_allocation == false);
}

TEST("A device lost while facts are read is DEVICE_LOST, not a list of unknown facts") {
  Rig rig;
  const auto mapping = rig.Allocate(10);
  control::LoseDevices(driver::kLaunchFailed);
  EXPECT(CodeOf(ops::ReadPlacement(rig.context, *mapping)) == Code::kDeviceLost);
}
