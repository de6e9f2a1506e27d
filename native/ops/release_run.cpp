#include "ops/release_run.h"

#include <chrono>

#include "ops/fsverity.h"
#include "ops/bytes.h"

namespace vram::ops {

std::optional<ReleaseReport> ReleaseRun::Step() {
  if (!mapping_.held()) return Report(std::nullopt);
  if (mapping_.mapped() && !mapping_.wiped()) {
    Status done = check_ ? CheckZeros() : Zero();
    if (!done.ok()) return Report(std::move(done).error());
    return std::nullopt;
  }
  Status freed = mapping_.Free();
  return Report(freed.ok() ? std::nullopt : std::optional(std::move(freed).error()));
}

Status ReleaseRun::Zero() {
  const auto start = std::chrono::steady_clock::now();
  Status done = mapping_.Thaw();
  if (!done.ok()) return done;
  done = context_.FillBytes(mapping_, 0, mapping_.allocated_bytes(), 0);
  if (!done.ok()) return done;
  done = context_.Synchronize();
  if (!done.ok()) return done;
  wipe_ms_ = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  check_.emplace(context_, workspace_, mapping_, 0, mapping_.allocated_bytes());
  return done;
}

Status ReleaseRun::CheckZeros() {
  if (Status step = check_->Step(); !step.ok()) return step;
  if (!check_->finished()) return Done{};
  if (!ConstantTimeEqual(check_->Finish(), ZeroFileDigest(mapping_.allocated_bytes()))) {
    return Error{Code::kIntegrityViolation, "The wiped memory does not read back as zeros"};
  }
  mapping_.MarkWiped();
  return Done{};
}

ReleaseReport ReleaseRun::Report(std::optional<Error> cause) {
  if (context_.lost()) {
    // Nothing is left to free; this only forgets.
    static_cast<void>(mapping_.Free());
    return {false, false, true, std::move(cause), std::nullopt};
  }
  return {mapping_.wiped(), !mapping_.has_memory(), false, std::move(cause), wipe_ms_};
}

}  // namespace vram::ops
