// A device opened on the simulator, as the tests share it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "device/context.h"
#include "device/workspace.h"
#include "driver/library.h"
#include "ops/digest_run.h"
#include "ops/hex.h"
#include "ops/release_run.h"
#include "simulator/control.h"
#include "test/harness.h"

namespace vram::test {

namespace control = simulator::control;

inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
inline constexpr int kDriverVersion = 12040;

/// The value of a result that must be good.
template <class T>
T Must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error("unexpected error: " + result.error().message);
  return std::move(result).value();
}

template <class T>
Code CodeOf(const Result<T>& result) {
  if (result.ok()) throw std::runtime_error("an error was expected");
  return result.error().code;
}

inline std::vector<std::byte> Pattern(std::uint64_t byte_length) {
  std::vector<std::byte> data(byte_length);
  for (std::uint64_t i = 0; i < byte_length; ++i) data[i] = static_cast<std::byte>(i % 251);
  return data;
}

inline std::shared_ptr<const driver::Library> OpenSimulator() {
  return Must(driver::Library::Open(std::string(VRAM_SIMULATOR_PATH)));
}

class Rig {
 public:
  explicit Rig(std::uint64_t memory_bytes = 64 * kMiB, std::size_t devices = 1)
      : library_(Prepare(memory_bytes, devices)), context(library_, failures) {
    Must(context.Open(0));
    workspace = Must(device::Workspace::Create(context, device::kTreeBlockData));
  }

  std::shared_ptr<device::Mapping> Allocate(std::uint64_t byte_length, std::uint64_t lead_bytes = 0) {
    return Must(context.Allocate({byte_length, lead_bytes}));
  }

  std::shared_ptr<device::Mapping> Loaded(const std::vector<std::byte>& data, std::uint64_t lead_bytes = 0) {
    auto mapping = Allocate(data.size(), lead_bytes);
    Must(context.CopyIn(*mapping, 0, data));
    const std::uint64_t end = lead_bytes + data.size();
    Must(context.FillBytes(*mapping, end, mapping->allocated_bytes() - end, 0));
    Must(context.Synchronize());
    return mapping;
  }

  Result<std::string> Digest(const device::Mapping& mapping) {
    ops::DigestRun run(context, *workspace, mapping, mapping.lead_bytes(), mapping.byte_length());
    while (!run.finished()) {
      if (Status step = run.Step(); !step.ok()) return std::move(step).error();
    }
    return ops::Hex(run.Finish());
  }

  ops::ReleaseReport Release(device::Mapping& mapping) {
    ops::ReleaseRun run(context, *workspace, mapping);
    for (;;) {
      if (auto report = run.Step()) return *std::move(report);
    }
  }

 private:
  static std::shared_ptr<const driver::Library> Prepare(std::uint64_t memory_bytes, std::size_t devices) {
    control::DeviceOptions options;
    options.memory_bytes = memory_bytes;
    control::Reset(std::vector(devices, options), kDriverVersion);
    return OpenSimulator();
  }

  std::shared_ptr<const driver::Library> library_;

 public:
  std::shared_ptr<device::FailureList> failures = std::make_shared<device::FailureList>();
  device::Context context;
  std::unique_ptr<device::Workspace> workspace;
};

}  // namespace vram::test
