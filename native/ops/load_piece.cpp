// The way of one piece through a load: read, hashed, copied.
#include <algorithm>

#include "device/workspace.h"
#include "ops/load.h"

namespace vram::ops {

void Load::Process(const Piece& piece) {
  Status outcome = ReadAndHash(piece);
  Due due;
  {
    const std::lock_guard lock(mutex_);
    if (!outcome.ok()) Fail(std::move(outcome).error());
    if (!error_ && piece.complete) {
      ++uses_[piece.slot];
      to_copy_.push_back(piece);
      if (flat_) {
        ++uses_[piece.slot];
        to_flat_.emplace(piece.offset, piece);
      }
    } else if (!error_) {
      fill_ = Fill{piece.slot, piece.length};
    }
    EndUse(piece);
    Pump(due);
  }
  Run(std::move(due));
}

Status Load::ReadAndHash(const Piece& piece) {
  const std::span<std::byte> slot = staging_.Slot(piece.slot);
  std::optional<FsverityTree::Piece> hashed;
  if (tree_ && piece.complete) hashed.emplace(*tree_, piece.offset);
  // In steps that are still in the processor's second cache when they are hashed.
  for (std::uint64_t at = 0; at < piece.length; at += device::kTreeBlockData) {
    const std::uint64_t end = std::min(at + device::kTreeBlockData, piece.length);
    if (const std::uint64_t from = std::max(at, piece.read_from); from < end) {
      // The source stays while its pieces are in flight: only an idle load drops it.
      const auto offset = static_cast<off_t>(piece.file_offset + (from - piece.read_from));
      Status read = ReadWhole(source_->file.get(), offset, slot.subspan(from, end - from), source_->cancel);
      if (!read.ok()) return read;
    }
    if (!hashed) continue;
    const std::span<std::byte> blocks = slot.subspan(at, LeafCount(end - at) * device::kBlockBytes);
    std::ranges::fill(blocks.subspan(end - at), std::byte{0});
    hashed->Hash(blocks);
  }
  if (hashed) hashed->Close();
  return Done{};
}

void Load::HashFlat(const Piece& piece) {
  flat_->Update(staging_.Slot(piece.slot).first(piece.length));
  Due due;
  {
    const std::lock_guard lock(mutex_);
    hashing_flat_ = false;
    flat_bytes_ += piece.length;
    EndUse(piece);
    Pump(due);
  }
  Run(std::move(due));
}

void Load::Copy(const std::vector<Piece>& pieces) {
  const auto copy = [&]() -> Status {
    {
      const std::lock_guard lock(mutex_);
      if (error_) return *error_;
    }
    Status copied = Done{};
    for (const Piece& piece : pieces) {
      copied = context_.CopyIn(*mapping_, piece.offset, staging_.Slot(piece.slot).first(piece.length));
      if (!copied.ok()) break;
    }
    // Also after a failure: a slot must not be reused while a copy may still read it.
    Status synchronised = context_.Synchronize();
    return copied.ok() ? std::move(synchronised) : std::move(copied);
  };
  Status outcome = copy();
  Due due;
  Progress progress;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  {
    const std::lock_guard lock(mutex_);
    copying_ = false;
    for (const Piece& piece : pieces) {
      if (outcome.ok()) copied_ += piece.length;
      EndUse(piece);
    }
    if (!outcome.ok()) {
      Fail(std::move(outcome).error());
    } else if (source_ && source_->progress) {
      progress = source_->progress;
      total = source_->range.byte_length;
      done = std::min(total, copied_ - std::min(copied_, source_->begins_at));
    }
    Pump(due);
  }
  if (progress) progress(done, total);
  Run(std::move(due));
}

}  // namespace vram::ops
