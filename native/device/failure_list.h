// Failures of teardown that no caller waits for. They become audit events.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "driver/error.h"

namespace vram::device {

struct TeardownFailure {
  std::optional<std::uint64_t> buffer_id;
  Code code;
};

class FailureList {
 public:
  void Record(std::optional<std::uint64_t> buffer_id, Code code) {
    const std::lock_guard lock(mutex_);
    failures_.push_back({buffer_id, code});
  }

  std::vector<TeardownFailure> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(failures_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<TeardownFailure> failures_;
};

}  // namespace vram::device
