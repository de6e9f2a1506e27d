// Threads of our own for jobs in the order they were posted: one for a device, a few for reading and hashing. Nothing of
// ours runs on libuv's pool.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace vram::device {

/// What a job wants next: nothing, or another turn behind the jobs that wait.
enum class Next { kDone, kAgain };

/// A move-only callable that returns Next or nothing.
class Job {
 public:
  template <class F>
    requires(!std::is_same_v<std::decay_t<F>, Job>)
  Job(F&& function) : body_(std::make_unique<Body<std::decay_t<F>>>(std::forward<F>(function))) {}

  Next Run() { return body_->Run(); }

 private:
  struct Base {
    Base() = default;
    Base(const Base&) = delete;
    Base& operator=(const Base&) = delete;
    virtual ~Base() = default;
    virtual Next Run() = 0;
  };
  template <class F>
  struct Body final : Base {
    explicit Body(F f) : function(std::move(f)) {}
    Next Run() override {
      if constexpr (std::is_same_v<std::invoke_result_t<F&>, Next>) {
        return function();
      } else {
        function();
        return Next::kDone;
      }
    }
    F function;
  };
  std::unique_ptr<Base> body_;
};

class WorkerThreads {
 public:
  /// `name` is what a debugger shows, at most 15 characters.
  WorkerThreads(std::size_t count, const char* name);
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;
  ~WorkerThreads() { Stop(); }

  /// False when the threads are gone; the job is dropped then.
  bool Post(Job job);

  /// Runs what is posted and what that posts in turn, then `last`, then joins. Idempotent.
  void Stop(Job last = [] {});

 private:
  void Work(const char* name);
  std::optional<Job> Take();
  void PutBack(Job job);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  std::optional<Job> last_;
  std::vector<std::thread> threads_;
};

}  // namespace vram::device
