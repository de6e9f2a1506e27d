// The way of one piece through a load: read, hashed, copied.
#include <errno.h>
#include <string.h>

#include <algorithm>

#include "device/workspace.h"
#include "ops/aborted.h"
#include "ops/fsverity.h"
#include "ops/load.h"

namespace vram::ops {

void Load::Process(const Piece& piece) {
  Status outcome = ReadInto(piece);
  if (outcome.ok() && piece.complete) HashSlot(piece);
  Due due;
  bool copies = false;
  {
    const std::lock_guard lock(mutex_);
    --hashing_;
    if (!outcome.ok()) Fail(std::move(outcome).error());
    if (!error_ && piece.complete) {
      const auto self = shared_from_this();
      copies = threads_.device.Post([self, piece] { self->Copy(piece); });
      if (!copies) Fail(Aborted());
    } else if (!error_) {
      fill_ = Fill{piece.slot, piece.length};
    }
    if (!copies) --in_flight_;
    Pump(due);
  }
  Run(std::move(due));
}

Status Load::ReadInto(const Piece& piece) {
  std::span<std::byte> rest = staging_.Slot(piece.slot).subspan(piece.read_from, piece.length - piece.read_from);
  if (rest.empty()) return Done{};
  // The source stays while its pieces are in flight: only an idle load drops it.
  const Source& source = *source_;
  auto offset = static_cast<off_t>(piece.file_offset);
  while (!rest.empty()) {
    if (source.cancel && source.cancel->load()) return Aborted();
    const ssize_t got = pread(source.file.get(), rest.data(), rest.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const char* name = strerrorname_np(errno);
      return InvalidInput("fd could not be read: " + std::string(name == nullptr ? "unknown error" : name));
    }
    if (got == 0) return InvalidInput("fd must hold byteLength bytes; the file ended before");
    offset += got;
    rest = rest.subspan(static_cast<std::size_t>(got));
  }
  return Done{};
}

void Load::HashSlot(const Piece& piece) {
  const std::span<std::byte> slot = staging_.Slot(piece.slot);
  const std::uint64_t padded = LeafCount(piece.length) * device::kBlockBytes;
  const std::span<std::byte> padding = slot.subspan(piece.length, padded - piece.length);
  std::fill(padding.begin(), padding.end(), std::byte{0});
  const std::uint64_t first = piece.offset / device::kTreeBlockData * device::kDigestBytes;
  const std::uint64_t count = ParentCount(piece.length) * device::kDigestBytes;
  HashDataBlocks(slot.first(padded), LeafCount(byte_length_) == 1, std::span(parents_).subspan(first, count));
  if (flat_) flat_->Update(slot.first(piece.length));
}

void Load::Copy(const Piece& piece) {
  const auto copy = [&]() -> Status {
    {
      const std::lock_guard lock(mutex_);
      if (error_) return *error_;
    }
    Status copied = context_.CopyIn(*mapping_, piece.offset, staging_.Slot(piece.slot).first(piece.length));
    // Also after a failure: the slot must not be reused while a copy may still read it.
    Status synchronised = context_.Synchronize();
    return copied.ok() ? std::move(synchronised) : std::move(copied);
  };
  Settle(piece, copy());
}

void Load::Settle(const Piece& piece, Status outcome) {
  Due due;
  Progress progress;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  {
    const std::lock_guard lock(mutex_);
    --in_flight_;
    if (outcome.ok()) {
      copied_ += piece.length;
      staging_.GiveBack(piece.slot);
      if (source_ && source_->progress) {
        progress = source_->progress;
        total = source_->range.byte_length;
        done = std::min(total, copied_ - std::min(copied_, source_->begins_at));
      }
    } else {
      Fail(std::move(outcome).error());
    }
    Pump(due);
  }
  if (progress) progress(done, total);
  Run(std::move(due));
}

}  // namespace vram::ops
