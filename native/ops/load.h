// Brings bytes into an allocation: from memory piece by piece or from a file, through staging, hashed on the way. Reading
// and hashing run on the I/O threads, copying on the device's thread; none waits for another.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "device/context.h"
#include "device/worker_threads.h"
#include "ops/fsverity.h"
#include "ops/read_file.h"
#include "ops/sha256.h"
#include "ops/staging.h"
#include "ops/unique_fd.h"

namespace vram::ops {

struct FileRange {
  std::uint64_t offset;
  std::uint64_t byte_length;
};

/// Digests of the very bytes that were copied to the device, those that were asked for.
struct LoadedDigests {
  std::optional<Digest> fsverity;
  std::optional<Digest> sha256;
};

struct LoadOptions {
  bool fsverity = true;
  bool sha256 = false;
  /// Staging is page-locked: copies are faster, and pages of the host cannot be swapped meanwhile.
  bool pinned = false;
  /// A multiple of 524288, at most FsverityTree::kMostPieceBytes.
  std::uint64_t slot_bytes = kSlotBytes;
};

class Load : public std::enable_shared_from_this<Load> {
 public:
  using Callback = std::function<void(Status)>;
  using FinishCallback = std::function<void(Result<LoadedDigests>)>;
  struct Threads {
    device::WorkerThreads& device;
    device::WorkerThreads& io;
  };

  Load(device::Context& context, Threads threads, std::uint64_t byte_length, LoadOptions options = {});

  /// Device thread, before bytes come: makes the staging. `mapping` has `byte_length` bytes.
  Status Prepare(std::shared_ptr<device::Mapping> mapping);
  /// Copies a chunk of at most a slot into staging before it returns. There must be room: see WhenRoom.
  Status Append(std::span<const std::byte> chunk);
  bool HasRoom();
  /// Calls back once the next chunk has room, or with the load's error.
  void WhenRoom(Callback callback);
  /// Reads a range of a file.
  Status AppendFile(UniqueFd file, FileRange range, Cancel cancel, Progress progress, Callback callback);
  /// Waits for what is on its way, zeroes the tail of the allocation, synchronises and gives the digests.
  void Finish(FinishCallback callback);
  /// Drops what is on its way and calls back when no thread touches the load any more and its staging is gone.
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
  void Pump(Due& due);
  void PumpPieces();
  void PumpCopies();
  void PumpFlat();
  std::optional<Piece> NextPiece();
  Piece TakeFilePiece();
  void EndUse(const Piece& piece);
  void Fail(Error error);
  bool Ready(const Waiter& waiter) const;
  bool has_room() const;
  bool idle() const noexcept { return in_flight_ == 0 && queue_.empty(); }

  // On an I/O thread.
  void Process(const Piece& piece);
  Status ReadAndHash(const Piece& piece);
  void HashFlat(const Piece& piece);

  // On the device's thread.
  void Copy(const std::vector<Piece>& pieces);
  Result<LoadedDigests> Complete();

  void Run(Due due);

  device::Context& context_;
  const Threads threads_;
  const std::uint64_t byte_length_;
  const LoadOptions options_;

  std::mutex mutex_;
  std::shared_ptr<device::Mapping> mapping_;
  Staging staging_;
  std::optional<Fill> fill_;
  std::uint64_t received_ = 0;
  std::uint64_t copied_ = 0;
  std::deque<Piece> queue_;               // filled by Append, not yet taken
  std::size_t processing_ = 0;            // pieces that are being read and hashed
  std::vector<Piece> to_copy_;
  bool copying_ = false;
  std::map<std::uint64_t, Piece> to_flat_;  // by offset: the flat digest takes them in order
  std::uint64_t flat_bytes_ = 0;
  bool hashing_flat_ = false;
  std::size_t in_flight_ = 0;             // pieces whose slot is in use
  std::vector<unsigned> uses_;            // by slot
  std::optional<Source> source_;
  std::optional<Error> error_;
  std::vector<Waiter> waiters_;
  std::optional<FsverityTree> tree_;
  std::optional<Sha256> flat_;
};

}  // namespace vram::ops
