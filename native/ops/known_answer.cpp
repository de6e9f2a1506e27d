#include "ops/known_answer.h"

#include <string_view>
#include <vector>

#include "ops/digest_run.h"
#include "ops/hex.h"
#include "ops/bytes.h"

namespace vram::ops {
namespace {

struct KnownAnswer {
  std::uint64_t byte_length;
  std::string_view digest;
};

// fs-verity digests of data whose byte i is i mod 251, as the fsverity command computes them.
constexpr KnownAnswer kKnownAnswers[] = {
    {4096, "13e9b8848ae484a36acb3f3cac0ceb2f7601e96633d15c92f9bd3dd44e492157"},
    {524289, "4dc6905041c9c4ee73e13b53f63f5d289c46da359b664a965ead7f8cc4d799d4"},
};

/// No fault of any weights: the device is not fit to digest them.
Error WrongDigest() { return {Code::kCudaFailed, "The digest kernel gives a wrong digest on this device"}; }

Status Test(device::Context& context, device::Workspace& workspace, const KnownAnswer& answer) {
  std::vector<std::byte> sample(device::kSampleBytes);
  for (std::uint64_t i = 0; i < answer.byte_length; ++i) sample[i] = static_cast<std::byte>(i % 251);
  Status copied = context.CopyIn(workspace.mapping(), workspace.sample_offset(), sample);
  Status synchronised = context.Synchronize();
  if (!copied.ok()) return copied;
  if (!synchronised.ok()) return synchronised;
  DigestRun run(context, workspace, workspace.mapping(), workspace.sample_offset(), answer.byte_length);
  while (!run.finished()) {
    Status step = run.Step();
    if (step.ok()) continue;
    if (step.error().code == Code::kIntegrityViolation) return WrongDigest();
    return step;
  }
  const std::string digest = Hex(run.Finish());
  if (!ConstantTimeEqual(std::as_bytes(std::span(digest)), std::as_bytes(std::span(answer.digest)))) {
    return WrongDigest();
  }
  return Done{};
}

}  // namespace

Status RunKnownAnswerTest(device::Context& context, device::Workspace& workspace) {
  for (const KnownAnswer& answer : kKnownAnswers) {
    if (Status tested = Test(context, workspace, answer); !tested.ok()) return tested;
  }
  return Done{};
}

}  // namespace vram::ops
