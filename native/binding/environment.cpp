#include "binding/environment.h"

#include <algorithm>
#include <thread>

#include "binding/teardown.h"

namespace vram::binding {
namespace {

constexpr unsigned kFewestIoThreads = 2;
constexpr unsigned kMostIoThreads = 8;

struct LatestProgress {
  std::mutex mutex;
  bool on_its_way = false;
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;
};

}  // namespace

std::shared_ptr<Environment> Environment::Create(Napi::Env env) {
  auto environment = std::make_shared<Environment>(env);
  const napi_value name = Napi::String::New(env, "vram-cuda");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, environment.get(), Dispatch,
                                      &environment->deliver_) != napi_ok) {
    return nullptr;
  }
  napi_unref_threadsafe_function(env, environment->deliver_);
  // Hooks run in reverse order: this one joins the threads before the function above goes.
  napi_add_env_cleanup_hook(env, [](void* data) { static_cast<Environment*>(data)->Stop(); }, environment.get());
  return environment;
}

device::WorkerThreads& Environment::io() {
  if (io_ == nullptr) {
    const unsigned threads = std::clamp(std::thread::hardware_concurrency(), kFewestIoThreads, kMostIoThreads);
    io_ = std::make_unique<device::WorkerThreads>(threads, "vram-io");
  }
  return *io_;
}

std::pair<OperationId, Napi::Promise> Environment::Begin(const OperationOptions& options) {
  const OperationId id = next_id_++;
  Operation operation = {Napi::Promise::Deferred::New(env_), {}, {}};
  for (const Napi::Value& value : options.keep) operation.keep.push_back(Napi::Reference<Napi::Value>::New(value, 1));
  if (!options.progress.IsEmpty()) operation.progress = Napi::Persistent(options.progress);
  const Napi::Promise promise = operation.deferred.Promise();
  operations_.emplace(id, std::move(operation));
  if (operations_.size() == 1) napi_ref_threadsafe_function(env_, deliver_);
  return {id, promise};
}

void Environment::Settle(OperationId id, Answer answer) {
  Later([this, id, answer = std::move(answer)](Napi::Env env) { Finish(env, id, answer); });
}

void Environment::Finish(Napi::Env env, OperationId id, const Answer& answer) {
  const auto found = operations_.find(id);
  if (found == operations_.end()) return;
  const Operation operation = std::move(found->second);
  operations_.erase(found);
  if (operations_.empty()) napi_unref_threadsafe_function(env, deliver_);
  operation.deferred.Resolve(answer(env));
}

void Environment::Later(Task task) {
  auto data = std::make_unique<Task>(std::move(task));
  if (napi_call_threadsafe_function(deliver_, data.get(), napi_tsfn_nonblocking) == napi_ok) data.release();
}

ops::Progress Environment::ProgressOf(OperationId id) {
  const auto found = operations_.find(id);
  if (found == operations_.end() || found->second.progress.IsEmpty()) return {};
  const auto latest = std::make_shared<LatestProgress>();
  return [this, id, latest](std::uint64_t done_bytes, std::uint64_t total_bytes) {
    {
      const std::lock_guard lock(latest->mutex);
      latest->done_bytes = done_bytes;
      latest->total_bytes = total_bytes;
      if (std::exchange(latest->on_its_way, true)) return;
    }
    Later([this, id, latest](Napi::Env) {
      std::unique_lock lock(latest->mutex);
      latest->on_its_way = false;
      const auto [done, total] = std::pair(latest->done_bytes, latest->total_bytes);
      lock.unlock();
      Report(id, done, total);
    });
  };
}

void Environment::Report(OperationId id, std::uint64_t done_bytes, std::uint64_t total_bytes) {
  const auto found = operations_.find(id);
  if (found == operations_.end()) return;
  found->second.progress.Call({NumberOf(env_, done_bytes), NumberOf(env_, total_bytes)});
  // The TypeScript side hands in a function that does not throw.
  if (env_.IsExceptionPending()) env_.GetAndClearPendingException();
}

void Environment::Dispatch(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Task> task(static_cast<Task*>(data));
  // Without an environment this only frees what was never delivered.
  if (env != nullptr) (*task)(env);
}

void Environment::Stop() {
  if (std::exchange(stopped_, true)) return;
  for (const auto& digest : file_digests) *digest->cancel = true;
  file_digests.clear();
  StopDevices(open_devices, io_.get());
  operations_.clear();
}

}  // namespace vram::binding
