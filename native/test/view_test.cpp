#include "device/view.h"

#include <thread>

#include "test/rig.h"

using namespace vram;
using namespace vram::test;

namespace {

const DLDataType kBytes = {kDLUInt, 8, 1};
const DLDataType kFloats = {kDLFloat, 32, 1};

std::unique_ptr<device::View> BytesOf(Rig& rig, const device::Mapping& mapping, std::uint64_t offset, std::uint64_t length) {
  return Must(rig.context.ViewOf(mapping, offset, length, {kBytes, {static_cast<std::int64_t>(length)}}));
}

int AccessOf(const device::Mapping& mapping) {
  for (const auto& each : control::ReadStats().allocations) {
    if (each.buffer_id == mapping.buffer_id()) return each.access;
  }
  return driver::kAccessNone;
}

DLManagedTensorVersioned* Acquired(device::View& view) {
  DLManagedTensorVersioned* tensor = nullptr;
  EXPECT(view.acquire(&view, &tensor) == VRAM_VIEW_OK);
  return tensor;
}

}  // namespace

TEST("a view is a DLPack 1.1 tensor of the range, read-only, on its device, in the image's coordinates") {
  Rig rig;
  const auto mapping = rig.Allocate(5000, 208);
  const auto image = BytesOf(rig, *mapping, 0, 5000);
  const auto floats = Must(rig.context.ViewOf(*mapping, 48, 24, {kFloats, {2, 3}}));
  DLManagedTensorVersioned* whole = Acquired(*image);
  DLManagedTensorVersioned* part = Acquired(*floats);
  const DLTensor& tensor = part->dl_tensor;
  EXPECT(part->version.major == 1 && part->version.minor == 1);
  EXPECT(part->flags == DLPACK_FLAG_BITMASK_READ_ONLY);
  EXPECT(tensor.device.device_type == kDLCUDA && tensor.device.device_id == 0);
  EXPECT(tensor.ndim == 2 && tensor.shape[0] == 2 && tensor.shape[1] == 3);
  EXPECT(tensor.strides[0] == 3 && tensor.strides[1] == 1);
  EXPECT(tensor.byte_offset == 0);
  EXPECT(static_cast<char*>(tensor.data) - static_cast<char*>(whole->dl_tensor.data) == 48);
  // The lead puts byte 48 of the image on a boundary of 256 bytes.
  EXPECT(reinterpret_cast<std::uintptr_t>(tensor.data) % 256 == 0);
  whole->deleter(whole);
  floats->release(part);
}

TEST("BO-3 MS-007 test_pointer_arithmetic_safe a view lies within its image and has the length of its type") {
  Rig rig;
  const auto mapping = rig.Allocate(1024, 16);
  const auto refused = [&](std::uint64_t offset, std::uint64_t length, device::TensorType type) {
    return CodeOf(rig.context.ViewOf(*mapping, offset, length, std::move(type))) == Code::kInvalidInput;
  };
  EXPECT(refused(1000, 25, {kBytes, {25}}));
  EXPECT(refused(1024, 1, {kBytes, {1}}));
  EXPECT(refused(UINT64_MAX, 1, {kBytes, {1}}));
  EXPECT(refused(0, 12, {kFloats, {2}}));
  EXPECT(refused(0, 8, {kFloats, {-2}}));
  EXPECT(refused(0, 0, {kFloats, {INT64_MAX, INT64_MAX, 4}}));
  EXPECT(refused(0, 1, {{kDLFloat, 4, 1}, {3}}));
  EXPECT(refused(0, 1, {kBytes, std::vector<std::int64_t>(33, 1)}));
  EXPECT(BytesOf(rig, *mapping, 1000, 24) != nullptr);
  EXPECT(BytesOf(rig, *mapping, 1024, 0) != nullptr);
  EXPECT(Must(rig.context.ViewOf(*mapping, 4, 4, {kFloats, {}})) != nullptr);
}

TEST("nothing is acquired from a view that has ended; what was acquired before stays") {
  Rig rig;
  const auto mapping = rig.Allocate(10);
  const auto view = BytesOf(rig, *mapping, 0, 10);
  DLManagedTensorVersioned* const before = Acquired(*view);
  view->End();
  DLManagedTensorVersioned* after = nullptr;
  EXPECT(view->acquire(view.get(), &after) == VRAM_VIEW_ENDED);
  EXPECT(after == nullptr);
  EXPECT(mapping->in_use());
  before->deleter(before);
  EXPECT(!mapping->in_use());
}

TEST("MS-004 memory with an acquired view is neither thawed nor freed, and is wiped once the view is back") {
  Rig rig;
  const auto mapping = rig.Loaded(Pattern(5000));
  Must(mapping->Freeze());
  auto view = BytesOf(rig, *mapping, 0, 5000);
  DLManagedTensorVersioned* const tensor = Acquired(*view);
  view.reset();
  const auto refused = rig.Release(*mapping);
  EXPECT(!refused.wiped && !refused.lost && refused.cause && refused.cause->code == Code::kCudaFailed);
  EXPECT(mapping->mapped());
  EXPECT(!mapping->Free().ok());
  EXPECT_EQUAL(AccessOf(*mapping), driver::kAccessRead);
  tensor->deleter(tensor);
  EXPECT(rig.Release(*mapping).wiped);
}

TEST("a tensor may go back on any thread, and the gate waits for it") {
  Rig rig;
  const auto mapping = rig.Allocate(10);
  const auto view = BytesOf(rig, *mapping, 0, 10);
  DLManagedTensorVersioned* const tensor = Acquired(*view);
  EXPECT(!mapping->CloseViews(std::chrono::milliseconds(1)));
  std::thread elsewhere([&] { tensor->deleter(tensor); });
  EXPECT(mapping->CloseViews(std::chrono::seconds(30)));
  elsewhere.join();
  DLManagedTensorVersioned* late = nullptr;
  EXPECT(view->acquire(view.get(), &late) == VRAM_VIEW_ENDED);
}

TEST("a view names the entry points of the driver that holds its memory, and no other symbols") {
  Rig rig;
  const auto mapping = rig.Allocate(10);
  const auto view = BytesOf(rig, *mapping, 0, 10);
  EXPECT(view->driver_symbol(view.get(), "cuLaunchKernel") != nullptr);
  EXPECT(view->driver_symbol(view.get(), "cuNothing") == nullptr);
  EXPECT(view->driver_symbol(view.get(), "vram_simulator_mark") == nullptr);
}

TEST("an image after a lead has the digest of its bytes, and nothing but zeros around it") {
  for (const std::uint64_t lead : {16, 240, 4080}) {
    Rig rig;
    const auto data = Pattern(600'001);
    const auto plain = rig.Loaded(data);
    const auto led = rig.Loaded(data, lead);
    EXPECT(Must(rig.Digest(*led)) == Must(rig.Digest(*plain)));
    EXPECT(rig.Release(*led).wiped);
  }
  Rig rig;
  EXPECT(CodeOf(rig.context.Allocate({1, 8})) == Code::kInvalidInput);
  EXPECT(CodeOf(rig.context.Allocate({1, 4096})) == Code::kInvalidInput);
}
