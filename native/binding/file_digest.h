// A digest of a file that runs on threads of its own.
#pragma once

#include <memory>

#include "binding/records.h"

namespace vram::binding {

struct FileDigestRecord {
  explicit FileDigestRecord(std::shared_ptr<CancelFlag> flag) : cancel(std::move(flag)) {}

  const std::shared_ptr<CancelFlag> cancel;
  device::WorkerThreads thread{1, "vram-digest"};
};

}  // namespace vram::binding
