#include "ops/load.h"

#include <algorithm>

#include "device/checked.h"
#include "ops/aborted.h"

namespace vram::ops {

static_assert(kSlotBytes <= FsverityTree::kMostPieceBytes);

Load::Load(device::Context& context, Threads threads, std::uint64_t byte_length, LoadOptions options)
    : context_(context), threads_(threads), byte_length_(byte_length), options_(options) {
  if (options.fsverity) tree_.emplace(byte_length_);
  if (options.sha256) flat_.emplace();
}

Status Load::Prepare(std::shared_ptr<device::Mapping> mapping) {
  // No more than the load can use.
  const std::uint64_t padded = LeafCount(byte_length_) * device::kBlockBytes;
  const std::size_t slots = std::min<std::uint64_t>(kMostSlots, device::CeilDivide(padded, options_.slot_bytes));
  const std::lock_guard lock(mutex_);
  if (error_) return *error_;
  uses_.resize(slots);
  Status ready = staging_.Prepare(slots, std::min(options_.slot_bytes, padded));
  if (ready.ok() && options_.pinned) ready = staging_.Pin(context_);
  if (ready.ok()) {
    mapping_ = std::move(mapping);
  } else {
    error_ = ready.error();
    // An error before this one is the one that counts.
    static_cast<void>(staging_.Release());
  }
  return ready;
}

Status Load::Accept(std::uint64_t byte_length) {
  if (error_) return *error_;
  if (device::RangeFits(received_, byte_length, byte_length_)) return Done{};
  return InvalidInput("chunk must not exceed the rest of the allocation");
}

Status Load::Append(std::span<const std::byte> chunk) {
  Due due;
  {
    const std::lock_guard lock(mutex_);
    if (Status accepted = Accept(chunk.size()); !accepted.ok()) return accepted;
    if (source_) return InvalidInput("chunk must wait until the file has been read");
    if (chunk.size() > options_.slot_bytes) {
      return InvalidInput("chunk must be at most " + std::to_string(options_.slot_bytes) + " bytes");
    }
    if (!has_room()) return InvalidInput("chunk must wait until the one before has been taken");
    while (!chunk.empty()) {
      if (!fill_) fill_ = Fill{staging_.Take(), 0};
      const std::uint64_t taken = std::min<std::uint64_t>(chunk.size(), staging_.slot_bytes() - fill_->length);
      std::copy_n(chunk.begin(), taken, staging_.Slot(fill_->slot).begin() + static_cast<std::ptrdiff_t>(fill_->length));
      chunk = chunk.subspan(taken);
      fill_->length += taken;
      received_ += taken;
      if (fill_->length < staging_.slot_bytes() && received_ < byte_length_) continue;
      queue_.push_back({fill_->slot, received_ - fill_->length, fill_->length, fill_->length, 0, true});
      fill_.reset();
    }
    Pump(due);
  }
  Run(std::move(due));
  return Done{};
}

bool Load::has_room() const {
  const std::uint64_t rest = byte_length_ - received_;
  return rest == 0 || staging_.has_free() || (fill_ && rest <= staging_.slot_bytes() - fill_->length);
}

bool Load::HasRoom() {
  const std::lock_guard lock(mutex_);
  return !error_ && has_room();
}

void Load::WhenRoom(Callback callback) {
  Due due;
  {
    const std::lock_guard lock(mutex_);
    waiters_.push_back({Waiter::For::kRoom, std::move(callback)});
    Pump(due);
  }
  Run(std::move(due));
}

Status Load::AppendFile(UniqueFd file, FileRange range, Cancel cancel, Progress progress, Callback callback) {
  Due due;
  {
    const std::lock_guard lock(mutex_);
    if (Status accepted = Accept(range.byte_length); !accepted.ok()) return accepted;
    if (!device::RangeFits(range.offset, range.byte_length, INT64_MAX)) return InvalidInput("offset must fit a file");
    if (source_) return InvalidInput("fd must wait until the file before has been read");
    source_ = Source{std::move(file), range, 0, received_, std::move(cancel), std::move(progress)};
    waiters_.push_back({Waiter::For::kFile, std::move(callback)});
    Pump(due);
  }
  Run(std::move(due));
  return Done{};
}

void Load::Pump(Due& due) {
  if (source_ && source_->cancel && source_->cancel->load()) Fail(Aborted());
  PumpPieces();
  PumpCopies();
  PumpFlat();
  const auto ready = std::stable_partition(waiters_.begin(), waiters_.end(), [this](const Waiter& w) { return !Ready(w); });
  for (auto waiter = ready; waiter != waiters_.end(); ++waiter) {
    if (waiter->what == Waiter::For::kFile) source_.reset();
    due.emplace_back(std::move(waiter->callback), error_ ? Status(*error_) : Status(Done{}));
  }
  waiters_.erase(ready, waiters_.end());
}

void Load::PumpPieces() {
  while (const std::optional<Piece> piece = NextPiece()) {
    ++in_flight_;
    ++uses_[piece->slot];
    const auto self = shared_from_this();
    if (threads_.io.Post([self, piece = *piece] { self->Process(piece); })) continue;
    EndUse(*piece);
    Fail(Aborted());
  }
}

void Load::PumpCopies() {
  if (copying_ || to_copy_.empty()) return;
  const auto self = shared_from_this();
  copying_ = threads_.device.Post([self, pieces = to_copy_] { self->Copy(pieces); });
  if (copying_) {
    to_copy_.clear();
  } else {
    Fail(Aborted());
  }
}

void Load::PumpFlat() {
  const auto next = to_flat_.find(flat_bytes_);
  if (hashing_flat_ || next == to_flat_.end()) return;
  const auto self = shared_from_this();
  hashing_flat_ = threads_.io.Post([self, piece = next->second] { self->HashFlat(piece); });
  if (hashing_flat_) {
    to_flat_.erase(next);
  } else {
    Fail(Aborted());
  }
}

std::optional<Load::Piece> Load::NextPiece() {
  if (error_) return std::nullopt;
  if (!queue_.empty()) {
    Piece piece = queue_.front();
    queue_.pop_front();
    return piece;
  }
  if (!source_ || source_->scheduled == source_->range.byte_length || (!fill_ && !staging_.has_free())) return std::nullopt;
  return TakeFilePiece();
}

Load::Piece Load::TakeFilePiece() {
  const Fill fill = fill_ ? *std::exchange(fill_, std::nullopt) : Fill{staging_.Take(), 0};
  const std::uint64_t taken = std::min(staging_.slot_bytes() - fill.length, source_->range.byte_length - source_->scheduled);
  const std::uint64_t length = fill.length + taken;
  const std::uint64_t offset = received_ - fill.length;
  const bool complete = length == staging_.slot_bytes() || offset + length == byte_length_;
  const Piece piece = {fill.slot, offset, length, fill.length, source_->range.offset + source_->scheduled, complete};
  source_->scheduled += taken;
  received_ += taken;
  return piece;
}

void Load::EndUse(const Piece& piece) {
  if (--uses_[piece.slot] > 0) return;
  --in_flight_;
  if (piece.complete) staging_.GiveBack(piece.slot);
}

bool Load::Ready(const Waiter& waiter) const {
  switch (waiter.what) {
    case Waiter::For::kRoom: return error_ || has_room();
    case Waiter::For::kFile: return idle() && (error_ || source_->scheduled == source_->range.byte_length);
    case Waiter::For::kIdle: return idle();
  }
  return false;
}

void Load::Fail(Error error) {
  if (!error_) error_ = std::move(error);
  queue_.clear();
  for (const Piece& piece : std::exchange(to_copy_, {})) EndUse(piece);
  for (const auto& [offset, piece] : std::exchange(to_flat_, {})) EndUse(piece);
}

void Load::Run(Due due) {
  for (auto& [callback, status] : due) callback(std::move(status));
}

void Load::Finish(FinishCallback callback) {
  Due due;
  std::optional<Error> refused;
  {
    const std::lock_guard lock(mutex_);
    if (error_) {
      refused = error_;
    } else if (received_ != byte_length_) {
      refused = InvalidInput("byteLength bytes must have arrived before the load is finished");
    } else {
      const auto self = shared_from_this();
      const auto complete = [self, callback](Status status) {
        if (!status.ok()) return callback(std::move(status).error());
        if (!self->threads_.device.Post([self, callback] { callback(self->Complete()); })) callback(Aborted());
      };
      waiters_.push_back({Waiter::For::kIdle, complete});
      Pump(due);
    }
  }
  if (refused) callback(*std::move(refused));
  Run(std::move(due));
}

Result<LoadedDigests> Load::Complete() {
  const std::lock_guard lock(mutex_);
  Status released = staging_.Release();
  if (!released.ok()) Fail(std::move(released).error());
  if (error_) return *error_;
  const std::uint64_t lead = mapping_->lead_bytes();
  const std::uint64_t image_end = lead + byte_length_;
  Status done = context_.FillBytes(*mapping_, 0, lead, 0);
  if (done.ok()) done = context_.FillBytes(*mapping_, image_end, mapping_->allocated_bytes() - image_end, 0);
  if (done.ok()) done = context_.Synchronize();
  if (!done.ok()) {
    error_ = done.error();
    return std::move(done).error();
  }
  LoadedDigests digests;
  if (tree_) digests.fsverity = tree_->Finish();
  if (flat_) digests.sha256 = flat_->Finish();
  return digests;
}

void Load::Abort(std::function<void()> callback) {
  Due due;
  {
    const std::lock_guard lock(mutex_);
    Fail(Aborted());
    const auto self = shared_from_this();
    const auto release = [self, callback] {
      {
        const std::lock_guard wipe(self->mutex_);
        const Status released = self->staging_.Release();
        if (!released.ok()) self->context_.failures().Record(std::nullopt, released.error().code);
      }
      callback();
    };
    // Page-locked memory is the device thread's to give back.
    waiters_.push_back({Waiter::For::kIdle, [self, release](const Status&) {
                          if (!self->threads_.device.Post(release)) release();
                        }});
    Pump(due);
  }
  Run(std::move(due));
}

}  // namespace vram::ops
