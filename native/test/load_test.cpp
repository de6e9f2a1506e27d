#include "ops/load.h"

#include "test/load_rig.h"

using namespace vram;
using namespace vram::test;

TEST("VP-001 chunks of any size arrive whole: the host's digest of them is the device's") {
  const auto data = Pattern(524289);
  for (const std::size_t chunk : {std::size_t{1000}, std::size_t{4096}, std::size_t{524288}}) {
    LoadRig rig;
    const auto load = rig.Begin(data.size(), {.sha256 = true});
    Must(rig.AppendAll(*load, data, chunk));
    const ops::LoadedDigests digests = Must(rig.Finish(*load));
    EXPECT_EQUAL(ops::Hex(digests.fsverity.value()), std::string("4dc6905041c9c4ee73e13b53f63f5d289c46da359b664a965ead7f8cc4d799d4"));
    EXPECT(digests.sha256 == ops::Sha256Of(data));
    EXPECT_EQUAL(rig.DeviceDigest(), ops::Hex(digests.fsverity.value()));
    EXPECT(rig.Release().wiped);
  }
}

TEST("More data than the staging holds goes through it, with and without a flat digest") {
  const auto data = Pattern(17 * kMiB / 8 + 5);
  for (const bool flat : {false, true}) {
    LoadRig rig;
    const auto load = rig.Begin(data.size(), {.sha256 = flat});
    Must(rig.AppendAll(*load, data, 400'000));
    const ops::LoadedDigests digests = Must(rig.Finish(*load));
    EXPECT_EQUAL(rig.DeviceDigest(), ops::Hex(digests.fsverity.value()));
    EXPECT_EQUAL(digests.sha256.has_value(), flat);
    if (digests.sha256) EXPECT(*digests.sha256 == ops::Sha256Of(data));
    EXPECT(rig.Release().wiped);
  }
}

TEST("TT-3 test_concurrent_modification_detected: a chunk is copied before Append returns") {
  LoadRig rig;
  auto data = Pattern(5000);
  const auto load = rig.Begin(data.size());
  Must(load->Append(data));
  std::fill(data.begin(), data.end(), std::byte{0xEE});
  const ops::LoadedDigests digests = Must(rig.Finish(*load));
  const auto original = Pattern(5000);
  LoadRig again;
  const auto reload = again.Begin(original.size());
  Must(reload->Append(original));
  EXPECT(digests.fsverity == Must(again.Finish(*reload)).fsverity);
  rig.Release();
  again.Release();
}

TEST("BO-1 MS-007 test_bounds_checking: no byte beyond the allocation's length is taken") {
  LoadRig rig;
  const auto load = rig.Begin(1024);
  const std::vector<std::byte> data(1025);
  EXPECT(CodeOf(load->Append(data)) == Code::kInvalidInput);
  Must(load->Append(std::span(data).first(1000)));
  EXPECT(CodeOf(load->Append(std::span(data).first(25))) == Code::kInvalidInput);
  Must(load->Append(std::span(data).first(24)));
  Must(load->Append({}));
  EXPECT(CodeOf(load->Append(std::span(data).first(1))) == Code::kInvalidInput);
  Must(rig.Finish(*load));
  EXPECT(rig.Release().wiped);
}

TEST("A chunk larger than a staging slot, or without room, is refused") {
  LoadRig rig;
  const auto load = rig.Begin(6 * kMiB);
  const std::vector<std::byte> data(kTestSlotBytes + 1);
  EXPECT(CodeOf(load->Append(data)) == Code::kInvalidInput);
  control::SetLatency("cuMemcpyHtoDAsync_v2", 50);
  Status appended = Done{};
  for (int i = 0; i < 8 && appended.ok(); ++i) appended = load->Append(std::span(data).first(kTestSlotBytes));
  EXPECT(CodeOf(appended) == Code::kInvalidInput);
  rig.Abort(*load);
  rig.Release();
}

TEST("A load is not finished before every byte has arrived") {
  LoadRig rig;
  const auto load = rig.Begin(1024);
  Must(load->Append(std::vector<std::byte>(1023)));
  EXPECT(CodeOf(rig.Finish(*load)) == Code::kInvalidInput);
  Must(load->Append(std::vector<std::byte>(1)));
  Must(rig.Finish(*load));
  rig.Release();
}

TEST("VP-001 bytes that the driver says it copied and did not make another digest") {
  for (const auto defect : {control::CopyDefect::kDrop, control::CopyDefect::kShort}) {
    LoadRig rig;
    const auto load = rig.Begin(9000);
    control::FaultCopy(control::Direction::kToDevice, defect, {});
    Must(load->Append(Pattern(9000)));
    const ops::LoadedDigests digests = Must(rig.Finish(*load));
    EXPECT(rig.DeviceDigest() != ops::Hex(digests.fsverity.value()));
    rig.Release();
  }
}

TEST("A copy that arrives at the synchronisation has arrived before the load is finished") {
  LoadRig rig;
  const auto load = rig.Begin(9000);
  control::FaultCopy(control::Direction::kToDevice, control::CopyDefect::kLate, {.after = 0, .sticky = true});
  Must(load->Append(Pattern(9000)));
  const ops::LoadedDigests digests = Must(rig.Finish(*load));
  EXPECT_EQUAL(rig.DeviceDigest(), ops::Hex(digests.fsverity.value()));
  rig.Release();
}

TEST("The tail of the allocation is zero after a load") {
  LoadRig rig;
  const auto load = rig.Begin(5000);
  rig.OnDevice([&] { Must(rig.rig->context.FillBytes(*rig.mapping, 0, rig.mapping->allocated_bytes(), 0xFF)); });
  Must(load->Append(Pattern(5000)));
  const ops::LoadedDigests digests = Must(rig.Finish(*load));
  EXPECT_EQUAL(rig.DeviceDigest(), ops::Hex(digests.fsverity.value()));
  rig.Release();
}

TEST("A failing call of a load is the load's error, and the memory can still be wiped") {
  for (const char* entry_point : {"cuMemcpyHtoDAsync_v2", "cuStreamSynchronize", "cuMemsetD8Async"}) {
    LoadRig rig;
    const auto load = rig.Begin(5000);
    control::FailCall(entry_point, driver::kInvalidValue, {});
    Must(load->Append(Pattern(5000)));
    const auto finished = rig.Finish(*load);
    EXPECT(CodeOf(finished) == Code::kCudaFailed);
    EXPECT(CodeOf(load->Append({})) == Code::kCudaFailed);
    rig.Abort(*load);
    EXPECT(rig.Release().wiped);
  }
}

TEST("An aborted load is idle: nothing is copied after its callback") {
  LoadRig rig;
  const auto load = rig.Begin(4 * kMiB);
  control::SetLatency("cuMemcpyHtoDAsync_v2", 5);
  Must(rig.AppendAll(*load, Pattern(3 * kMiB / 2), kTestSlotBytes));
  rig.Abort(*load);
  const std::uint64_t copies = control::ReadStats().calls["cuMemcpyHtoDAsync_v2"];
  EXPECT(rig.Release().wiped);
  EXPECT(CodeOf(load->Append({})) == Code::kAborted);
  EXPECT_EQUAL(control::ReadStats().calls["cuMemcpyHtoDAsync_v2"], copies);
}

TEST("Only the digests that were asked for are computed") {
  for (const bool fsverity : {false, true}) {
    LoadRig rig;
    const auto data = Pattern(600'000);
    const auto load = rig.Begin(data.size(), {.fsverity = fsverity});
    Must(rig.AppendAll(*load, data, kTestSlotBytes));
    const ops::LoadedDigests digests = Must(rig.Finish(*load));
    EXPECT_EQUAL(digests.fsverity.has_value(), fsverity);
    EXPECT(!digests.sha256.has_value());
    EXPECT(rig.Release().wiped);
  }
}

TEST("VP-003 test_pinned_memory_disabled: staging that was asked to be page-locked is so during the load, and not after it") {
  LoadRig rig;
  const auto data = Pattern(5 * kTestSlotBytes);
  EXPECT_EQUAL(control::ReadStats().page_locked_bytes, std::uint64_t{0});
  const auto load = rig.Begin(data.size(), {.pinned = true});
  EXPECT_EQUAL(control::ReadStats().page_locked_bytes, ops::kMostSlots * kTestSlotBytes);
  Must(rig.AppendAll(*load, data, kTestSlotBytes));
  const ops::LoadedDigests digests = Must(rig.Finish(*load));
  EXPECT_EQUAL(control::ReadStats().page_locked_bytes, std::uint64_t{0});
  EXPECT_EQUAL(rig.DeviceDigest(), ops::Hex(digests.fsverity.value()));
  EXPECT(rig.Release().wiped);
}

TEST("VP-003 an aborted load leaves nothing page-locked; what the driver does not let go is recorded") {
  for (const bool refuses : {false, true}) {
    LoadRig rig;
    const auto load = rig.Begin(4 * kTestSlotBytes, {.pinned = true});
    Must(load->Append(Pattern(1000)));
    if (refuses) control::FailCall("cuMemHostUnregister", driver::kInvalidValue, {.after = 0, .sticky = true});
    rig.Abort(*load);
    EXPECT_EQUAL(control::ReadStats().page_locked_bytes == 0, !refuses);
    EXPECT_EQUAL(rig.rig->failures->Take().size(), std::size_t{refuses ? 1U : 0U});
    EXPECT(rig.Release().wiped);
  }
}

TEST("VP-003 a load whose staging stays page-locked has failed; its end tries again") {
  LoadRig rig;
  const auto load = rig.Begin(1000, {.pinned = true});
  Must(load->Append(Pattern(1000)));
  control::FailCall("cuMemHostUnregister", driver::kInvalidValue, {});
  EXPECT(CodeOf(rig.Finish(*load)) == Code::kCudaFailed);
  rig.Abort(*load);
  EXPECT_EQUAL(control::ReadStats().page_locked_bytes, std::uint64_t{0});
  EXPECT(rig.Release().wiped);
}

TEST("Staging that cannot be page-locked is the load's error") {
  LoadRig rig;
  control::FailCall("cuMemHostRegister_v2", driver::kOutOfMemory, {});
  rig.OnDevice([&] { rig.mapping = rig.rig->Allocate(1000); });
  const auto load = rig.NewLoad(1000, {.pinned = true});
  rig.OnDevice([&] { EXPECT(CodeOf(load->Prepare(rig.mapping)) == Code::kCudaFailed); });
  EXPECT(CodeOf(load->Append(Pattern(1))) == Code::kCudaFailed);
  rig.Abort(*load);
  EXPECT_EQUAL(control::ReadStats().page_locked_bytes, std::uint64_t{0});
  rig.Release();
}
