// The end of allocations, devices and environments.
#pragma once

#include <functional>
#include <list>
#include <memory>

#include "binding/records.h"
#include "ops/release_run.h"

namespace vram::binding {

using Released = std::function<void(const ops::ReleaseReport&)>;

/// Ends what runs on an allocation, then wipes, checks and frees it on the device's thread, and calls back there.
void ReleaseAllocation(const std::shared_ptr<AllocationRecord>& allocation, Released released);

/// Wipes and frees what is left of a device and closes it, then calls back on its thread.
void CloseDevice(const std::shared_ptr<DeviceRecord>& device, std::function<void()> closed);

/// The same for every device at once, waiting for it: the environment ends.
void StopDevices(std::list<std::shared_ptr<DeviceRecord>>& devices, device::WorkerThreads* io);

}  // namespace vram::binding
