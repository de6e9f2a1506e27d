// Functions that read an allocation in device memory: digests of all or some of it, and where it is damaged.
#include "binding/allocation_operation.h"
#include "binding/facts_value.h"
#include "binding/functions.h"
#include "device/checked.h"
#include "ops/block_run.h"
#include "ops/hex.h"
#include "ops/locate_run.h"

namespace vram::binding {
namespace {

/// What the device tells of an allocation, as far as it was asked and could be read.
struct Finding {
  std::optional<ops::Placement> placement;
  std::optional<ops::Digest> digest;
};

/// What to hash, and how the file digest comes of it. Device thread.
struct Reading {
  bool with_placement;
  std::function<Result<ops::DigestRun>(AllocationRecord&)> begin;
  std::function<ops::Digest(AllocationRecord&, ops::DigestRun&)> end;
};

Napi::Value FindingValue(Napi::Env env, const Finding& finding) {
  const Napi::Value digest = finding.digest ? Napi::Value(Napi::String::New(env, ops::Hex(*finding.digest))) : env.Null();
  if (!finding.placement) return ValueResult(env, digest);
  Napi::Object value = Napi::Object::New(env);
  value.Set("placement", PlacementValue(env, *finding.placement));
  value.Set("digest", digest);
  return ValueResult(env, value);
}

Napi::Value DamageValue(Napi::Env env, const ops::Damage& damage) {
  Napi::Array blocks = Napi::Array::New(env, damage.blocks.size());
  for (const ops::DamagedBlock& block : damage.blocks) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("index", NumberOf(env, block.index));
    entry.Set("singleBit", block.single_bit ? Napi::Value(Napi::Boolean::New(env, *block.single_bit)) : env.Null());
    blocks.Set(static_cast<std::uint32_t>(&block - damage.blocks.data()), entry);
  }
  Napi::Object value = Napi::Object::New(env);
  value.Set("digest", ops::Hex(damage.digest));
  value.Set("blockCount", NumberOf(env, damage.block_count));
  value.Set("blocks", blocks);
  return ValueResult(env, value);
}

/// What the device's thread needs of a long operation.
struct LongJob {
  std::shared_ptr<AllocationRecord> allocation;
  std::shared_ptr<CancelFlag> cancel;
  ops::Progress progress;

  bool stopped() const { return allocation->stopping || (cancel && *cancel); }
  void Report(std::uint64_t done_bytes, std::uint64_t total_bytes) const {
    if (progress) progress(done_bytes, total_bytes);
  }
  template <class T>
  Answer AnswerWith(Napi::Value (*value_of)(Napi::Env, const T&), Result<T> result) const {
    return [owner = allocation, result = std::move(result), value_of](Napi::Env env) -> Napi::Value {
      owner->busy = false;
      return result.ok() ? value_of(env, result.value()) : ErrorResult(env, result.error());
    };
  }
};

struct LongOperation {
  OperationId id;
  Napi::Promise promise;
  LongJob job;

  /// Its cancel flag and its progress function are the arguments from `at` on.
  static Result<LongOperation> Begin(Environment& environment, const Napi::CallbackInfo& info, std::size_t at) {
    auto cancel = ReadCancel(environment, info[at]);
    const auto function = ReadProgress(info[at + 1]);
    if (!cancel || !function) return InvalidInput("cancel and progress must be what this addon takes");
    auto begun = AllocationOperation::Begin(environment, info, {AllocationState::kLoaded, AllocationState::kFrozen}, *function);
    if (!begun.ok()) return std::move(begun).error();
    const auto& [allocation, id, promise] = begun.value();
    return LongOperation{id, promise, {allocation, *std::move(cancel), environment.ProgressOf(id)}};
  }
};

Napi::Value Read(Environment& environment, const Napi::CallbackInfo& info, std::size_t long_at, Reading reading) {
  auto operation = LongOperation::Begin(environment, info, long_at);
  if (!operation.ok()) return ErrorResult(info.Env(), operation.error());
  const auto& [id, promise, long_job] = operation.value();
  PostSteps(environment, long_job.allocation->device, id,
            [job = long_job, reading = std::move(reading), placement = std::optional<ops::Placement>(),
             run = std::optional<ops::DigestRun>()]() mutable -> std::optional<Answer> {
              const auto answer = [&job](Result<Finding> finding) { return job.AnswerWith(FindingValue, std::move(finding)); };
              if (job.stopped()) return answer(ops::Aborted());
              AllocationRecord& allocation = *job.allocation;
              if (!run) {
                auto begun = reading.begin(allocation);
                if (!begun.ok()) return answer(std::move(begun).error());
                run.emplace(std::move(begun).value());
              }
              if (reading.with_placement && !placement) {
                auto read = ops::ReadPlacement(allocation.device->context, *allocation.mapping);
                if (!read.ok()) return answer(std::move(read).error());
                placement = read.value();
                if (!ops::IsOfMapping(*placement, *allocation.mapping)) return answer(Finding{placement, std::nullopt});
              }
              if (Status step = run->Step(); !step.ok()) return answer(std::move(step).error());
              job.Report(run->done_bytes(), run->byte_length());
              if (!run->finished()) return std::nullopt;
              return answer(Finding{placement, reading.end(allocation, *run)});
            });
  return promise;
}

ops::DigestRun RunOfAll(AllocationRecord& allocation, ops::Leaves leaves) {
  const device::Mapping& mapping = *allocation.mapping;
  return ops::DigestRun(allocation.device->context, *allocation.device->workspace, mapping, mapping.lead_bytes(),
                        mapping.byte_length(), leaves);
}

ops::DigestRun BeginAll(AllocationRecord& allocation) { return RunOfAll(allocation, ops::Leaves::kToCheck); }

ops::Digest EndAll(AllocationRecord&, ops::DigestRun& run) { return run.Finish(); }

ops::DigestRun BeginKeeping(AllocationRecord& allocation) { return RunOfAll(allocation, ops::Leaves::kAll); }

ops::Digest EndKeeping(AllocationRecord& allocation, ops::DigestRun& run) {
  allocation.tree = std::make_shared<ops::KeptTree>(run.byte_length(), run.TakeLeaves(), run.parents());
  return run.Finish();
}

}  // namespace

Napi::Value DigestInPlace(Environment& environment, const Napi::CallbackInfo& info) {
  if (!info[1].IsBoolean()) return ErrorResult(info.Env(), InvalidInput("keepTree must be a boolean"));
  const bool keeps = info[1].As<Napi::Boolean>().Value();
  return Read(environment, info, 2, keeps ? Reading{false, BeginKeeping, EndKeeping} : Reading{false, BeginAll, EndAll});
}

Napi::Value Inspect(Environment& environment, const Napi::CallbackInfo& info) {
  return Read(environment, info, 1, {true, BeginAll, EndAll});
}

Napi::Value InspectRange(Environment& environment, const Napi::CallbackInfo& info) {
  const auto offset = ReadInteger(info[1]);
  const auto length = ReadInteger(info[2]);
  if (!offset || !length || *length == 0) return ErrorResult(info.Env(), InvalidInput("offset and length must be a range of at least one byte"));
  const ops::BlockRange blocks = ops::BlocksOf(*offset, *length);
  const auto begin = [blocks, offset = *offset, length = *length](AllocationRecord& record) -> Result<ops::DigestRun> {
    if (record.tree == nullptr) return NoKeptTree();
    if (!device::RangeFits(offset, length, record.mapping->byte_length())) {
      return InvalidInput("offset and length must lie within the allocation");
    }
    return ops::RunOf(record.device->context, *record.device->workspace, *record.mapping, blocks);
  };
  const auto end = [blocks](AllocationRecord& record, ops::DigestRun& run) {
    return record.tree->FileDigestWith(blocks.first, run.TakeLeaves());
  };
  return Read(environment, info, 3, {true, begin, end});
}

Napi::Value Locate(Environment& environment, const Napi::CallbackInfo& info) {
  const auto digest = ReadDigest(info[1]);
  const auto limit = ReadInteger(info[2]);
  if (!digest) return ErrorResult(info.Env(), InvalidInput("digest must be 64 lower-case hexadecimal digits"));
  if (!limit || *limit == 0) return ErrorResult(info.Env(), InvalidInput("limit must be an integer from 1 to 2^53 - 1"));
  auto operation = LongOperation::Begin(environment, info, 3);
  if (!operation.ok()) return ErrorResult(info.Env(), operation.error());
  const auto& [id, promise, long_job] = operation.value();
  PostSteps(environment, long_job.allocation->device, id,
            [job = long_job, digest = *digest, limit = *limit, run = std::optional<ops::LocateRun>()]() mutable -> std::optional<Answer> {
              const auto answer = [&job](Result<ops::Damage> damage) { return job.AnswerWith(DamageValue, std::move(damage)); };
              if (job.stopped()) return answer(ops::Aborted());
              AllocationRecord& allocation = *job.allocation;
              const device::Mapping& mapping = *allocation.mapping;
              if (allocation.tree == nullptr) return answer(NoKeptTree());
              if (!run) run.emplace(allocation.device->context, *allocation.device->workspace, mapping, allocation.tree, digest, limit);
              if (Status step = run->Step(); !step.ok()) return answer(std::move(step).error());
              job.Report(run->done_bytes(), mapping.byte_length());
              if (!run->finished()) return std::nullopt;
              return answer(run->damage());
            });
  return promise;
}

}  // namespace vram::binding
