#include "test/tree_rig.h"

using namespace vram;
using namespace vram::test;

namespace {

std::unique_ptr<device::View> FirstByte(TreeRig& rig) {
  return Must(rig.context.ViewOf(*rig.mapping, 0, 1, {{kDLUInt, 8, 1}, {1}}));
}

/// What a new view says when it is acquired and given back.
std::int32_t TryView(TreeRig& rig) {
  const auto view = FirstByte(rig);
  DLManagedTensorVersioned* tensor = nullptr;
  const std::int32_t status = view->acquire(view.get(), &tensor);
  if (status == VRAM_VIEW_OK) view->release(tensor);
  return status;
}

int Access(const TreeRig& rig) {
  for (const auto& each : control::ReadStats().allocations) {
    if (each.buffer_id == rig.mapping->buffer_id()) return each.access;
  }
  return driver::kAccessNone;
}

std::uint64_t Calls(const char* entry_point) { return control::ReadStats().calls[entry_point]; }

/// Frozen memory with damage in its first and in its last block, there also in the zeros after the image.
struct Damaged : TreeRig {
  explicit Damaged(std::uint64_t size = 524289 + 9000) : TreeRig(size, 48), last(ops::LeafCount(size) - 1) {
    Must(mapping->Freeze());
    Flip(7);
    Flip(size - 1);
    if (size % 4096 != 0) Flip(size);
    damaged = DigestNow();
  }
  std::vector<std::uint64_t> Indices() const { return last == 0 ? std::vector{last} : std::vector<std::uint64_t>{0, last}; }

  const std::uint64_t last;
  ops::Digest damaged;
};

}  // namespace

TEST("The right blocks restore the digest, and the memory is frozen with views open again") {
  for (const std::uint64_t size : kImageSizes) {
    Damaged rig(size);
    const ops::RepairReport report = rig.Repair(rig.Indices(), rig.data);
    EXPECT(report.frozen && !report.cause);
    EXPECT(rig.DigestNow() == rig.digest);
    EXPECT_EQUAL(Access(rig), int{driver::kAccessRead});
    EXPECT_EQUAL(TryView(rig), std::int32_t{VRAM_VIEW_OK});
  }
}

TEST("One wrong block among right ones is refused, and nothing is written") {
  Damaged rig;
  std::vector<std::byte> wrong = rig.data;
  wrong.back() ^= std::byte{1};
  const std::uint64_t copies = Calls("cuMemcpyHtoDAsync_v2");
  const std::uint64_t accesses = Calls("cuMemSetAccess");
  const ops::RepairReport report = rig.Repair(rig.Indices(), wrong);
  EXPECT(report.frozen && report.cause->code == Code::kIntegrityViolation);
  EXPECT_EQUAL(std::string(report.cause->reason), std::string("block"));
  EXPECT_EQUAL(Calls("cuMemcpyHtoDAsync_v2"), copies);
  EXPECT_EQUAL(Calls("cuMemSetAccess"), accesses);
  EXPECT(rig.DigestNow() == rig.damaged);
}

TEST("A kept tree that was changed is no reason to write, also not what it names") {
  Damaged rig;
  std::vector<std::byte> forged = rig.data;
  forged[0] ^= std::byte{1};
  const ops::Digest leaf = ops::Sha256Of(std::span(forged).first(4096));
  std::copy(leaf.begin(), leaf.end(), rig.tree->levels[0].begin());
  const ops::RepairReport report = rig.Repair({0}, forged);
  EXPECT(report.frozen && report.cause->code == Code::kIntegrityViolation);
  EXPECT_EQUAL(std::string(report.cause->reason), std::string("tree"));
  EXPECT(rig.DigestNow() == rig.damaged);
}

TEST("A block beyond the image is refused") {
  Damaged rig;
  const ops::RepairReport report = ops::Repair(rig.context, *rig.mapping, *rig.tree, rig.digest,
                                               {{rig.last + 1}, std::vector<std::byte>(4096)});
  EXPECT(report.frozen && report.cause->code == Code::kInvalidInput);
  EXPECT(rig.DigestNow() == rig.damaged);
}

TEST("Memory of which native code holds a view is not repaired") {
  Damaged rig;
  const auto view = FirstByte(rig);
  DLManagedTensorVersioned* held = nullptr;
  EXPECT_EQUAL(view->acquire(view.get(), &held), std::int32_t{VRAM_VIEW_OK});
  const ops::RepairReport report = rig.Repair(rig.Indices(), rig.data);
  EXPECT(report.frozen && report.cause->code == Code::kCudaFailed);
  EXPECT(rig.DigestNow() == rig.damaged);
  EXPECT_EQUAL(TryView(rig), std::int32_t{VRAM_VIEW_OK});
  view->release(held);
  EXPECT(!rig.Repair(rig.Indices(), rig.data).cause);
  EXPECT(rig.DigestNow() == rig.digest);
}

TEST("A call that fails after the thaw is told, and the memory is frozen again") {
  for (const char* entry_point : {"cuMemSetAccess", "cuMemcpyHtoDAsync_v2", "cuMemsetD8Async", "cuStreamSynchronize"}) {
    Damaged rig;
    control::FailCall(entry_point, driver::kNotPermitted, {});
    const ops::RepairReport report = rig.Repair(rig.Indices(), rig.data);
    EXPECT(report.frozen && report.cause->code == Code::kCudaFailed);
    EXPECT_EQUAL(std::string(report.cause->answer->entry_point), std::string(entry_point));
    EXPECT_EQUAL(Access(rig), int{driver::kAccessRead});
    EXPECT_EQUAL(TryView(rig), std::int32_t{VRAM_VIEW_OK});
    EXPECT(!rig.Repair(rig.Indices(), rig.data).cause);
    EXPECT(rig.DigestNow() == rig.digest);
  }
}

TEST("Memory that could not be frozen again says so and opens no view") {
  Damaged rig;
  control::FailCall("cuMemSetAccess", driver::kNotPermitted, {.after = 1, .sticky = false});
  const ops::RepairReport report = rig.Repair(rig.Indices(), rig.data);
  EXPECT(!report.frozen && report.cause->code == Code::kCudaFailed);
  EXPECT_EQUAL(TryView(rig), std::int32_t{VRAM_VIEW_ENDED});
  Must(rig.mapping->Freeze());
  EXPECT_EQUAL(TryView(rig), std::int32_t{VRAM_VIEW_OK});
}

TEST("A lost device is told as lost") {
  Damaged rig;
  control::LoseDevices(719);
  const ops::RepairReport report = rig.Repair(rig.Indices(), rig.data);
  EXPECT(!report.frozen && report.cause->code == Code::kDeviceLost);
}

TEST("A copy to the device that does not arrive leaves the damage for the digest to find") {
  Damaged rig;
  control::FaultCopy(control::Direction::kToDevice, control::CopyDefect::kDrop, {});
  EXPECT(!rig.Repair(rig.Indices(), rig.data).cause);
  EXPECT(rig.DigestNow() != rig.digest);
}
