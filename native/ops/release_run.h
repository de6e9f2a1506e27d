// Gives an allocation back: writable again, zeroed, the zeros checked by a digest, unmapped, freed.
#pragma once

#include <optional>

#include "device/context.h"
#include "device/workspace.h"
#include "ops/digest_run.h"

namespace vram::ops {

struct ReleaseReport {
  /// Every byte was seen to be zero before the memory was freed. Never said of a lost device.
  bool wiped;
  /// The driver took the memory back.
  bool freed;
  /// The context is gone and the memory with it.
  bool lost;
  std::optional<Error> cause;
  /// From the first step to make the memory writable until all of it was zero; none where this run did not do that.
  std::optional<double> wipe_ms;
};

class ReleaseRun {
 public:
  ReleaseRun(device::Context& context, device::Workspace& workspace, device::Mapping& mapping)
      : context_(context), workspace_(workspace), mapping_(mapping) {}

  /// One piece of the work; a report when there is nothing more to do. Memory whose wipe could not be shown stays mapped.
  std::optional<ReleaseReport> Step();

 private:
  Status Zero();
  Status CheckZeros();
  ReleaseReport Report(std::optional<Error> cause);

  device::Context& context_;
  device::Workspace& workspace_;
  device::Mapping& mapping_;
  std::optional<DigestRun> check_;
  std::optional<double> wipe_ms_;
};

}  // namespace vram::ops
