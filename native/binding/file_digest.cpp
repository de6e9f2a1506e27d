#include "ops/file_digest.h"

#include <fcntl.h>

#include "binding/arguments.h"
#include "binding/device_job.h"
#include "binding/functions.h"
#include "ops/hex.h"
#include "ops/kernel_verity.h"
#include "ops/unique_fd.h"

namespace vram::binding {
namespace {

Answer AnswerOf(const ops::UniqueFd& file, const ops::FileDigestOptions& options) {
  try {
    const Result<ops::Digest> digest = ops::DigestFile(file.get(), options);
    if (!digest.ok()) return FailedWith(digest.error());
    return [digest = digest.value()](Napi::Env env) { return ValueResult(env, Napi::String::New(env, ops::Hex(digest))); };
  } catch (const std::exception&) {
    return FailedWith(OutOfHostMemory());
  }
}

}  // namespace

Napi::Value DigestFile(Environment& environment, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto fd = ReadSmallInteger(info[0]);
  const auto threads = ReadSmallInteger(info[1]);
  auto cancel = ReadCancel(environment, info[2]);
  const auto function = ReadProgress(info[3]);
  if (!fd) return ErrorResult(env, InvalidInput("fd must be a file descriptor"));
  if (!threads) return ErrorResult(env, InvalidInput("threads must be a positive integer"));
  if (!cancel || !function) return ErrorResult(env, InvalidInput("cancel and progress must be what this addon takes"));
  if (*cancel == nullptr) *cancel = std::make_shared<CancelFlag>(false);
  const auto file = std::make_shared<ops::UniqueFd>(fcntl(*fd, F_DUPFD_CLOEXEC, 0));
  if (!file->valid()) return ErrorResult(env, InvalidInput("fd must be an open file descriptor"));

  const auto record = std::make_shared<FileDigestRecord>(*cancel);
  environment.file_digests.push_back(record);
  const auto [id, promise] = environment.Begin({{}, *function});
  record->thread.Post([&environment, record = record.get(), file, id = id, count = *threads, progress = environment.ProgressOf(id)] {
    const ops::FileDigestOptions options = {.threads = static_cast<unsigned>(count), .cancel = record->cancel, .progress = progress};
    environment.Settle(id, [&environment, record, answer = AnswerOf(*file, options)](Napi::Env at) {
      environment.file_digests.remove_if([record](const auto& each) { return each.get() == record; });
      return answer(at);
    });
  });
  return promise;
}

Napi::Value MeasureFile(Environment&, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto fd = ReadSmallInteger(info[0]);
  if (!fd) return ErrorResult(env, InvalidInput("fd must be a file descriptor"));
  const std::optional<ops::Digest> digest = ops::MeasureVerity(*fd);
  return ValueResult(env, digest ? Napi::Value(Napi::String::New(env, ops::Hex(*digest))) : env.Null());
}

}  // namespace vram::binding
