// Everything of one JavaScript environment: handles, running operations, threads. Two worker threads share nothing.
#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "binding/file_digest.h"
#include "binding/handle_table.h"
#include "binding/records.h"
#include "binding/result_value.h"

namespace vram::binding {

using OperationId = std::uint64_t;

/// What an operation keeps alive until it is settled, and how it reports progress.
struct OperationOptions {
  std::vector<Napi::Value> keep;
  Napi::Function progress;
};

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  static std::shared_ptr<Environment> Create(Napi::Env env);
  explicit Environment(Napi::Env env) : env_(env) {}
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  HandleTable<const driver::Library> drivers;
  HandleTable<DeviceRecord> devices;
  HandleTable<AllocationRecord> allocations;
  HandleTable<CancelFlag> cancels;

  /// Digests of files that have not ended.
  std::list<std::shared_ptr<FileDigestRecord>> file_digests;
  /// Every device that has a thread, from the attempt to open it on.
  std::list<std::shared_ptr<DeviceRecord>> open_devices;

  bool stopped() const noexcept { return stopped_; }
  device::WorkerThreads& io();

  /// Starts an operation: the process stays alive until it is settled.
  std::pair<OperationId, Napi::Promise> Begin(const OperationOptions& options = {});
  /// From any thread: settles an operation. `then` runs on the environment's thread just before.
  void Settle(OperationId id, Answer answer);
  /// From any thread: runs on the environment's thread, if there is still time.
  void Later(std::function<void(Napi::Env)> task);
  /// From any thread: reports progress; a report that comes before the last was delivered replaces it.
  ops::Progress ProgressOf(OperationId id);

  /// Cancels what runs, wipes and frees every allocation, joins every thread. Idempotent.
  void Stop();

 private:
  struct Operation {
    Napi::Promise::Deferred deferred;
    std::vector<Napi::Reference<Napi::Value>> keep;
    Napi::FunctionReference progress;
  };
  using Task = std::function<void(Napi::Env)>;

  static void Dispatch(napi_env env, napi_value function, void* context, void* data);
  void Report(OperationId id, std::uint64_t done_bytes, std::uint64_t total_bytes);
  void Finish(Napi::Env env, OperationId id, const Answer& answer);

  Napi::Env env_;
  napi_threadsafe_function deliver_ = nullptr;
  std::unordered_map<OperationId, Operation> operations_;
  OperationId next_id_ = 1;
  bool stopped_ = false;
  std::unique_ptr<device::WorkerThreads> io_;
};

}  // namespace vram::binding
