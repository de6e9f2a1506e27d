#include "binding/teardown.h"

#include <optional>
#include <vector>

#include "ops/aborted.h"

namespace vram::binding {
namespace {

ops::ReleaseReport NothingHeld() { return {true, true, false, std::nullopt, std::nullopt}; }

/// Device thread.
bool HoldsMemory(const AllocationRecord& allocation) {
  return allocation.mapping != nullptr && allocation.mapping->held() && allocation.device->workspace != nullptr;
}

/// Device thread. The allocation's whole release at once.
ops::ReleaseReport ReleaseNow(AllocationRecord& allocation) {
  if (!HoldsMemory(allocation)) return NothingHeld();
  ops::ReleaseRun run(allocation.device->context, *allocation.device->workspace, *allocation.mapping);
  for (;;) {
    if (auto report = run.Step()) return *std::move(report);
  }
}

/// Of a device whose thread has ended: what its end did to the allocation.
ops::ReleaseReport AfterClose(const AllocationRecord& allocation) {
  if (allocation.mapping == nullptr) return NothingHeld();
  const bool lost = allocation.device->context.lost();
  const bool wiped = allocation.mapping->wiped() && !lost;
  const bool freed = !allocation.mapping->has_memory() && !lost;
  if (wiped) return {true, freed, false, std::nullopt, std::nullopt};
  return {false, freed, lost, Error{Code::kCudaFailed, "The device was closed and the memory could not be shown to be wiped"}, std::nullopt};
}

/// Device thread. Records what a release nobody waits for could not do.
void RecordFailure(AllocationRecord& allocation, const ops::ReleaseReport& report) {
  if (report.wiped && !report.cause) return;
  const Code code = report.cause ? report.cause->code : Code::kDeviceLost;
  const auto buffer_id = allocation.mapping == nullptr ? std::nullopt : allocation.mapping->buffer_id();
  allocation.device->failures->Record(buffer_id, code);
}

/// How long the end of a device waits for native code that still holds a view.
constexpr std::chrono::seconds kPatience{2};

/// Device thread. Memory that could not be shown to be wiped stays mapped until the process ends.
void EndDevice(DeviceRecord& device, const std::vector<std::shared_ptr<AllocationRecord>>& allocations) {
  for (const auto& allocation : allocations) {
    if (allocation->mapping != nullptr) allocation->mapping->CloseViews(kPatience);
    RecordFailure(*allocation, ReleaseNow(*allocation));
    if (allocation->mapping != nullptr) allocation->mapping->Abandon();
  }
  device.workspace.reset();
  device.context.Close();
}

std::vector<std::shared_ptr<AllocationRecord>> BeginEnd(DeviceRecord& device) {
  device.closing = true;
  std::vector<std::shared_ptr<AllocationRecord>> allocations(device.allocations.begin(), device.allocations.end());
  for (const auto& allocation : allocations) allocation->stopping = true;
  return allocations;
}

}  // namespace

void ReleaseAllocation(const std::shared_ptr<AllocationRecord>& allocation, Released released) {
  allocation->stopping = true;
  const auto start = [allocation, released = std::move(released)] {
    const bool posted = allocation->device->thread.Post([allocation, released, run = std::optional<ops::ReleaseRun>()]() mutable {
      if (!HoldsMemory(*allocation)) {
        released(NothingHeld());
        return device::Next::kDone;
      }
      if (!run) run.emplace(allocation->device->context, *allocation->device->workspace, *allocation->mapping);
      const auto report = run->Step();
      if (!report) return device::Next::kAgain;
      released(*report);
      return device::Next::kDone;
    });
    if (!posted) released(AfterClose(*allocation));
  };
  if (allocation->load == nullptr) {
    start();
  } else {
    allocation->load->Abort(start);
  }
}

void CloseDevice(const std::shared_ptr<DeviceRecord>& device, std::function<void()> closed) {
  const auto allocations = BeginEnd(*device);
  const auto left = std::make_shared<std::atomic<std::size_t>>(allocations.size() + 1);
  const auto next = [device, allocations, left, closed = std::move(closed)] {
    if (--*left != 0) return;
    device->thread.Post([device, allocations, closed] {
      EndDevice(*device, allocations);
      closed();
    });
  };
  for (const auto& allocation : allocations) {
    if (allocation->load == nullptr) {
      next();
    } else {
      allocation->load->Abort(next);
    }
  }
  next();
}

void StopDevices(std::list<std::shared_ptr<DeviceRecord>>& devices, device::WorkerThreads* io) {
  for (const auto& device : devices) {
    for (const auto& allocation : BeginEnd(*device)) {
      if (allocation->load != nullptr) allocation->load->Abort([] {});
    }
  }
  if (io != nullptr) io->Stop();
  for (const auto& device : devices) {
    const std::vector<std::shared_ptr<AllocationRecord>> allocations(device->allocations.begin(), device->allocations.end());
    device->thread.Stop([&device, &allocations] { EndDevice(*device, allocations); });
    device->allocations.clear();
  }
  devices.clear();
}

}  // namespace vram::binding
