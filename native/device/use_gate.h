// Who holds an address of a mapping. Memory is neither thawed nor freed while somebody does. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace vram::device {

class UseGate {
 public:
  /// One more user; false once the gate is closed.
  bool Enter() {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    ++users_;
    return true;
  }

  void Leave() {
    const std::lock_guard lock(mutex_);
    if (--users_ == 0) idle_.notify_all();
  }

  bool in_use() const {
    const std::lock_guard lock(mutex_);
    return users_ != 0;
  }

  /// Closes the gate once nobody is inside; false if somebody still is after `patience`.
  bool Close(std::chrono::milliseconds patience = std::chrono::milliseconds::zero()) {
    std::unique_lock lock(mutex_);
    closed_ = idle_.wait_for(lock, patience, [this] { return users_ == 0; });
    return closed_;
  }

  void Open() {
    const std::lock_guard lock(mutex_);
    closed_ = false;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::uint64_t users_ = 0;
  bool closed_ = false;
};

}  // namespace vram::device
