#include "device/worker_threads.h"

#include <pthread.h>
#include <signal.h>

#include <initializer_list>

namespace vram::device {
namespace {

/// Threads inherit the mask: signals stay with the threads of the runtime.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) sigdelset(&blocked, fault);
    pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

WorkerThreads::WorkerThreads(std::size_t count, const char* name) : running_(count) {
  const SignalsBlocked blocked;
  threads_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this, name] { Work(name); });
}

bool WorkerThreads::Post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (running_ == 0) return false;
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void WorkerThreads::Stop(Job last) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    last_.emplace(std::move(last));
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerThreads::Work(const char* name) {
  pthread_setname_np(pthread_self(), name);
  while (std::optional<Job> job = Take()) {
    if (job->Run() == Next::kAgain) PutBack(*std::move(job));
  }
}

std::optional<Job> WorkerThreads::Take() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return !jobs_.empty() || stopping_; });
  if (!jobs_.empty()) {
    std::optional<Job> job(std::move(jobs_.front()));
    jobs_.pop_front();
    return job;
  }
  if (running_ == 1 && last_) return std::exchange(last_, std::nullopt);
  --running_;
  return std::nullopt;
}

void WorkerThreads::PutBack(Job job) {
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
}

}  // namespace vram::device
