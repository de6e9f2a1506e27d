// Brings bytes into an allocation: from memory piece by piece or from a file, through staging, hashed on the way. Reading
// and hashing run on the I/O threads, copying on the device's thread; neither waits for the other.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "device/context.h"
#include "device/worker_threads.h"
#include "ops/sha256.h"
#include "ops/staging.h"
#include "ops/unique_fd.h"

namespace vram::ops {

using Cancel = std::shared_ptr<const std::atomic<bool>>;
using Progress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

struct FileRange {
  std::uint64_t offset;
  std::uint64_t byte_length;
};

/// Digests of the very bytes that were copied to the device.
struct LoadedDigests {
  Digest fsverity;
  std::optional<Digest> sha256;
};

class Load : public std::enable_shared_from_this<Load> {
 public:
  using Callback = std::function<void(Status)>;
  using FinishCallback = std::function<void(Result<LoadedDigests>)>;
  struct Threads {
    device::WorkerThreads& device;
    device::WorkerThreads& io;
  };
  enum class FlatDigest { kNo, kYes };

  /// `slot_bytes` is a multiple of 524288.
  Load(device::Context& context, Threads threads, std::shared_ptr<device::Mapping> mapping, FlatDigest flat,
       std::uint64_t slot_bytes = kSlotBytes);

  /// Copies a chunk of at most a slot into staging before it returns. There must be room: see WhenRoom.
  Status Append(std::span<const std::byte> chunk);
  bool HasRoom();
  /// Calls back once the next chunk has room, or with the load's error.
  void WhenRoom(Callback callback);
  /// Reads a range of a file.
  Status AppendFile(UniqueFd file, FileRange range, Cancel cancel, Progress progress, Callback callback);
  /// Waits for what is on its way, zeroes the tail of the allocation, synchronises and gives the digests.
  void Finish(FinishCallback callback);
  /// Drops what is on its way and calls back when no thread touches the load any more.
  void Abort(std::function<void()> callback);

 private:
  struct Piece {
    std::size_t slot;
    std::uint64_t offset;       // of the slot's first byte in the allocation
    std::uint64_t length;       // bytes of the slot that are or will be filled
    std::uint64_t read_from;    // first byte of the slot still to be read
    std::uint64_t file_offset;  // where in the file that byte is
    bool complete;              // nothing follows in this slot: hash it and copy it
  };
  struct Source {
    UniqueFd file;
    FileRange range;
    std::uint64_t scheduled;
    std::uint64_t begins_at;  // in the allocation
    Cancel cancel;
    Progress progress;
  };
  struct Fill {
    std::size_t slot;
    std::uint64_t length;
  };
  struct Waiter {
    enum class For { kRoom, kFile, kIdle } what;
    Callback callback;
  };
  using Due = std::vector<std::pair<Callback, Status>>;

  // With the lock held.
  Status Accept(std::uint64_t byte_length);
  Status EnsureStaging();
  void Pump(Due& due);
  std::optional<Piece> NextPiece();
  Piece TakeFilePiece();
  void Fail(Error error);
  bool Ready(const Waiter& waiter) const;
  bool has_room() const;
  bool idle() const noexcept { return in_flight_ == 0 && queue_.empty(); }

  // On an I/O thread, on the device's thread.
  void Process(const Piece& piece);
  Status ReadInto(const Piece& piece);
  void HashSlot(const Piece& piece);
  void Copy(const Piece& piece);
  Result<LoadedDigests> Complete();

  void Settle(const Piece& piece, Status outcome);
  void Run(Due due);

  device::Context& context_;
  const Threads threads_;
  const std::shared_ptr<device::Mapping> mapping_;
  const std::uint64_t byte_length_;
  const std::uint64_t slot_bytes_;

  std::mutex mutex_;
  Staging staging_;
  bool prepared_ = false;
  std::optional<Fill> fill_;
  std::uint64_t received_ = 0;
  std::uint64_t copied_ = 0;
  std::deque<Piece> queue_;
  std::size_t hashing_ = 0;
  std::size_t in_flight_ = 0;
  std::optional<Source> source_;
  std::optional<Error> error_;
  std::vector<Waiter> waiters_;
  std::vector<std::byte> parents_;
  std::optional<Sha256> flat_;
};

}  // namespace vram::ops
