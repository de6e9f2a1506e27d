// A device with its threads, for tests of loads.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <future>

#include "ops/load.h"
#include "test/rig.h"

namespace vram::test {

/// Small slots: the same paths with less to hash.
inline constexpr std::uint64_t kTestSlotBytes = device::kTreeBlockData;

/// The context belongs to the device thread: it is opened, used and closed there.
class LoadRig {
 public:
  explicit LoadRig(std::uint64_t memory_bytes = 64 * kMiB) : device_(1, "test-device"), io(2, "test-io") {
    OnDevice([&] { rig = std::make_unique<Rig>(memory_bytes); });
  }
  ~LoadRig() {
    io.Stop();
    device_.Stop([this] {
      mapping.reset();
      rig.reset();
    });
  }
  LoadRig(const LoadRig&) = delete;
  LoadRig& operator=(const LoadRig&) = delete;

  void OnDevice(std::function<void()> job) {
    std::promise<void> done;
    device_.Post([&] {
      try {
        job();
        done.set_value();
      } catch (...) {
        done.set_exception(std::current_exception());
      }
    });
    done.get_future().get();
  }

  /// A load that is not prepared yet.
  std::shared_ptr<ops::Load> NewLoad(std::uint64_t byte_length, ops::LoadOptions options) {
    options.slot_bytes = kTestSlotBytes;
    return std::make_shared<ops::Load>(rig->context, ops::Load::Threads{device_, io}, byte_length, options);
  }

  std::shared_ptr<ops::Load> Begin(std::uint64_t byte_length, ops::LoadOptions options = {}, std::uint64_t lead_bytes = 0) {
    const auto load = NewLoad(byte_length, options);
    OnDevice([&] {
      mapping = rig->Allocate(byte_length, lead_bytes);
      Must(load->Prepare(mapping));
    });
    return load;
  }

  Status AppendAll(ops::Load& load, std::span<const std::byte> data, std::size_t chunk_bytes) {
    while (!data.empty()) {
      const auto chunk = data.first(std::min(chunk_bytes, data.size()));
      if (Status room = WaitForRoom(load); !room.ok()) return room;
      if (Status appended = load.Append(chunk); !appended.ok()) return appended;
      data = data.subspan(chunk.size());
    }
    return Done{};
  }

  static Status WaitForRoom(ops::Load& load) {
    std::promise<Status> room;
    load.WhenRoom([&](Status status) { room.set_value(std::move(status)); });
    return room.get_future().get();
  }

  static Status AppendFile(ops::Load& load, int fd, std::uint64_t byte_length, ops::Cancel cancel = nullptr,
                           ops::Progress progress = {}) {
    return AppendFile(load, fd, ops::FileRange{0, byte_length}, std::move(cancel), std::move(progress));
  }

  static Status AppendFile(ops::Load& load, int fd, ops::FileRange range, ops::Cancel cancel = nullptr, ops::Progress progress = {}) {
    std::promise<Status> read;
    Status accepted = load.AppendFile(ops::UniqueFd(dup(fd)), range, std::move(cancel), std::move(progress),
                                      [&](Status status) { read.set_value(std::move(status)); });
    return accepted.ok() ? read.get_future().get() : accepted;
  }

  static Result<ops::LoadedDigests> Finish(ops::Load& load) {
    std::promise<Result<ops::LoadedDigests>> finished;
    load.Finish([&](Result<ops::LoadedDigests> digests) { finished.set_value(std::move(digests)); });
    return finished.get_future().get();
  }

  static void Abort(ops::Load& load) {
    std::promise<void> idle;
    load.Abort([&] { idle.set_value(); });
    idle.get_future().get();
  }

  std::string DeviceDigest() {
    std::string digest;
    OnDevice([&] { digest = Must(rig->Digest(*mapping)); });
    return digest;
  }

  ops::ReleaseReport Release() {
    ops::ReleaseReport report = {};
    OnDevice([&] { report = rig->Release(*mapping); });
    return report;
  }

 private:
  device::WorkerThreads device_;

 public:
  device::WorkerThreads io;
  std::unique_ptr<Rig> rig;
  std::shared_ptr<device::Mapping> mapping;
};

/// An unlinked file with the given content.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::span<const std::byte> content) {
    char path[] = "/tmp/vram-load-XXXXXX";
    fd_ = mkstemp(path);
    unlink(path);
    if (write(fd_, content.data(), content.size()) != static_cast<ssize_t>(content.size())) throw std::runtime_error("write");
  }
  ~TemporaryFile() { close(fd_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace vram::test
