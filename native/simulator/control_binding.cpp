// The control interface for JavaScript. Arguments were validated by the package's TypeScript, its only caller.
#include <napi.h>

#include "control.h"

namespace {

namespace control = vram::simulator::control;

std::uint64_t Count(const Napi::Value& value) { return static_cast<std::uint64_t>(value.As<Napi::Number>().Int64Value()); }

std::uint64_t Wide(const Napi::Value& value) {
  bool lossless = false;
  return value.As<Napi::BigInt>().Uint64Value(&lossless);
}

std::string Text(const Napi::Value& value) { return value.As<Napi::String>().Utf8Value(); }
int Integer(const Napi::Value& value) { return value.As<Napi::Number>().Int32Value(); }

control::Occasion OccasionOf(const Napi::Value& after, const Napi::Value& sticky) {
  return {Count(after), sticky.As<Napi::Boolean>().Value()};
}

// reset([{ memoryBytes, name, attributes: [[attribute, value]], sharedMemoryFile? }], driverVersion): whether the files could be had
Napi::Value Reset(const Napi::CallbackInfo& info) {
  const auto list = info[0].As<Napi::Array>();
  std::vector<control::DeviceOptions> devices;
  for (std::uint32_t k = 0; k < list.Length(); ++k) {
    const auto given = list.Get(k).As<Napi::Object>();
    control::DeviceOptions device{Count(given.Get("memoryBytes")), Text(given.Get("name")), {}};
    const auto attributes = given.Get("attributes").As<Napi::Array>();
    for (std::uint32_t a = 0; a < attributes.Length(); ++a) {
      const auto pair = attributes.Get(a).As<Napi::Array>();
      device.attributes[Integer(pair.Get(0u))] = Integer(pair.Get(1u));
    }
    if (given.Has("sharedMemoryFile")) device.shared_memory_file = Text(given.Get("sharedMemoryFile"));
    devices.push_back(std::move(device));
  }
  return Napi::Boolean::New(info.Env(), control::Reset(devices, Integer(info[1])));
}

Napi::Value IsEntryPoint(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), control::IsEntryPoint(Text(info[0])));
}

// failCall(entryPoint, code, after, sticky)
void FailCall(const Napi::CallbackInfo& info) {
  control::FailCall(Text(info[0]), Integer(info[1]), OccasionOf(info[2], info[3]));
}

// flipBit(bufferId, byteOffset, bit): whether there was such memory
Napi::Value FlipBit(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), control::FlipBit(Wide(info[0]), Count(info[1]), Integer(info[2])));
}

// flipBitAt(bufferId, byteOffset, bit, entryPoint, after)
void FlipBitAt(const Napi::CallbackInfo& info) {
  control::FlipBitAt(Wide(info[0]), Count(info[1]), Integer(info[2]), Text(info[3]), Count(info[4]));
}

// setPointerAttribute(attribute, value, result)
void SetPointerAttribute(const Napi::CallbackInfo& info) {
  control::SetPointerAttribute(Integer(info[0]), Wide(info[1]), Integer(info[2]));
}

// faultCopy(direction, mode, after, sticky)
void FaultCopy(const Napi::CallbackInfo& info) {
  const std::string mode = Text(info[1]);
  control::FaultCopy(Text(info[0]) == "toDevice" ? control::Direction::kToDevice : control::Direction::kToHost,
                     mode == "drop"    ? control::CopyDefect::kDrop
                     : mode == "short" ? control::CopyDefect::kShort
                                       : control::CopyDefect::kLate,
                     OccasionOf(info[2], info[3]));
}

// skipKernel(after, sticky)
void SkipKernel(const Napi::CallbackInfo& info) { control::SkipKernel(OccasionOf(info[0], info[1])); }
void LoseDevice(const Napi::CallbackInfo& info) { control::LoseDevices(Integer(info[0])); }

// setLatency(entryPoint, milliseconds)
void SetLatency(const Napi::CallbackInfo& info) {
  control::SetLatency(Text(info[0]), static_cast<unsigned>(Count(info[1])));
}

void HashNatively(const Napi::CallbackInfo& info) { control::HashNatively(info[0].ToBoolean()); }

Napi::Value Number(Napi::Env env, std::uint64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }

Napi::Value ReadStats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const control::Stats stats = control::ReadStats();
  auto allocations = Napi::Array::New(env, stats.allocations.size());
  for (std::uint32_t k = 0; k < stats.allocations.size(); ++k) {
    auto each = Napi::Object::New(env);
    each.Set("bufferId", std::to_string(stats.allocations[k].buffer_id));
    each.Set("byteLength", Number(env, stats.allocations[k].byte_length));
    each.Set("access", stats.allocations[k].access);
    allocations.Set(k, each);
  }
  auto freed = Napi::Array::New(env, stats.freed.size());
  for (std::uint32_t k = 0; k < stats.freed.size(); ++k) {
    auto each = Napi::Object::New(env);
    each.Set("bufferId", std::to_string(stats.freed[k].buffer_id));
    each.Set("zeroed", stats.freed[k].zeroed);
    freed.Set(k, each);
  }
  auto calls = Napi::Object::New(env);
  for (const auto& [name, count] : stats.calls) calls.Set(name, Number(env, count));
  auto result = Napi::Object::New(env);
  result.Set("allocations", allocations);
  result.Set("freed", freed);
  result.Set("reservations", Number(env, stats.reservations));
  result.Set("contexts", Number(env, stats.contexts));
  result.Set("streams", Number(env, stats.streams));
  result.Set("modules", Number(env, stats.modules));
  result.Set("allocatedBytes", Number(env, stats.allocated_bytes));
  result.Set("pageLockedBytes", Number(env, stats.page_locked_bytes));
  result.Set("calls", calls);
  return result;
}

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("reset", Napi::Function::New(env, Reset));
  exports.Set("isEntryPoint", Napi::Function::New(env, IsEntryPoint));
  exports.Set("failCall", Napi::Function::New(env, FailCall));
  exports.Set("flipBit", Napi::Function::New(env, FlipBit));
  exports.Set("flipBitAt", Napi::Function::New(env, FlipBitAt));
  exports.Set("setPointerAttribute", Napi::Function::New(env, SetPointerAttribute));
  exports.Set("faultCopy", Napi::Function::New(env, FaultCopy));
  exports.Set("skipKernel", Napi::Function::New(env, SkipKernel));
  exports.Set("loseDevice", Napi::Function::New(env, LoseDevice));
  exports.Set("setLatency", Napi::Function::New(env, SetLatency));
  exports.Set("hashNatively", Napi::Function::New(env, HashNatively));
  exports.Set("readStats", Napi::Function::New(env, ReadStats));
  return exports;
}

}  // namespace

NODE_API_MODULE(vram_simulator_control, Initialize)
