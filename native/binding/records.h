// What the handles of JavaScript stand for. Members are used on the environment's thread unless they say otherwise.
#pragma once

#include <atomic>
#include <list>
#include <memory>

#include "device/context.h"
#include "device/worker_threads.h"
#include "device/workspace.h"
#include "driver/library.h"
#include "ops/kept_tree.h"
#include "ops/load.h"

namespace vram::binding {

using CancelFlag = std::atomic<bool>;

struct AllocationRecord;

struct DeviceRecord {
  DeviceRecord(std::shared_ptr<const driver::Library> driver, int device_ordinal)
      : ordinal(device_ordinal), context(std::move(driver), failures), thread(1, "vram-device") {}

  const int ordinal;
  const std::shared_ptr<device::FailureList> failures = std::make_shared<device::FailureList>();
  device::Context context;                       // device thread
  std::unique_ptr<device::Workspace> workspace;  // device thread
  std::atomic<bool> closing = false;             // any thread
  std::list<std::shared_ptr<AllocationRecord>> allocations;
  device::WorkerThreads thread;
};

enum class AllocationState { kLoading, kLoaded, kFrozen, kReleased };

struct AllocationRecord {
  explicit AllocationRecord(std::shared_ptr<DeviceRecord> owner) : device(std::move(owner)) {}

  const std::shared_ptr<DeviceRecord> device;
  std::shared_ptr<device::Mapping> mapping;  // device thread
  std::atomic<bool> stopping = false;        // any thread: long operations end
  std::shared_ptr<const ops::KeptTree> tree;  // device thread
  std::shared_ptr<ops::Load> load;
  AllocationState state = AllocationState::kLoading;
  bool busy = false;
};

}  // namespace vram::binding
