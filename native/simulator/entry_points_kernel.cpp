// The driver's entry points for modules and kernel launches.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "call.h"
#include "export.h"
#include "../hash/path.h"

using namespace vram::simulator;
namespace driver = vram::driver;

SIM_EXPORT CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned count, int* options, void** values) {
  Call call("cuModuleLoadDataEx", Needs::kContext);
  if (call.refused()) return call.refused();
  if (module == nullptr || image == nullptr || (count > 0 && (options == nullptr || values == nullptr)))
    return driver::kInvalidValue;
  const std::string_view text = static_cast<const char*>(image);
  auto functions = ParsePtx(text);
  if (functions.empty()) return text.find(".version") == text.npos ? driver::kInvalidImage : driver::kInvalidPtx;
  Machine& machine = call.machine();
  *module = reinterpret_cast<CUmodule>(static_cast<std::uintptr_t>(machine.next_id++));
  machine.modules[*module] = Module{call.ordinal(), std::move(functions)};
  return driver::kSuccess;
}

SIM_EXPORT CUresult cuModuleUnload(CUmodule module) {
  Call call("cuModuleUnload", Needs::kContext);
  if (call.refused()) return call.refused();
  return call.machine().modules.erase(module) == 1 ? driver::kSuccess : driver::kInvalidHandle;
}

SIM_EXPORT CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  Call call("cuModuleGetFunction", Needs::kContext);
  if (call.refused()) return call.refused();
  if (function == nullptr || name == nullptr) return driver::kInvalidValue;
  const auto found = call.machine().modules.find(module);
  if (found == call.machine().modules.end()) return driver::kInvalidHandle;
  for (const auto& each : found->second.functions) {
    if (each->name == name) {
      *function = reinterpret_cast<CUfunction>(const_cast<Function*>(each.get()));
      return driver::kSuccess;
    }
  }
  return driver::kNotFound;
}

namespace {

std::shared_ptr<const Function> FindFunction(const Machine& machine, CUfunction function) {
  for (const auto& [handle, module] : machine.modules) {
    for (const auto& each : module.functions) {
      if (reinterpret_cast<CUfunction>(const_cast<Function*>(each.get())) == function) return each;
    }
  }
  return nullptr;
}

// Everything that the current device may reach, and what keeps it there while the kernel runs.
struct Reachable {
  std::vector<Window> windows;
  std::vector<std::shared_ptr<PhysicalMemory>> keep;
};

Reachable ReachableBy(const Machine& machine, int ordinal) {
  Reachable reachable;
  for (const auto& [base, mapping] : machine.mappings) {
    const int access = mapping.AccessOf(ordinal);
    if (access == driver::kAccessNone) continue;
    reachable.windows.push_back({base, mapping.bytes, mapping.memory->host(), access == driver::kAccessReadWrite});
    reachable.keep.push_back(mapping.memory);
  }
  return reachable;
}

// The digest kernel by the host's hash, where its blocks and digests lie in memory that it may read and write.
bool HashNatively(const Launch& launch) {
  if (launch.function->name != "vram_fsverity_blocks") return false;
  const std::uint64_t count = launch.parameters[2];
  const auto reach = [&launch](std::uint64_t address, std::uint64_t bytes, bool writes) -> std::byte* {
    for (const Window& window : launch.memory) {
      const bool inside = address >= window.base && bytes <= window.bytes && address - window.base <= window.bytes - bytes;
      if (inside && (window.writable || !writes)) return reinterpret_cast<std::byte*>(window.host) + (address - window.base);
    }
    return nullptr;
  };
  const std::byte* const blocks = reach(launch.parameters[0], count * vram::hash::kBlockBytes, false);
  std::byte* const digests = reach(launch.parameters[1], count * vram::hash::kDigestBytes, true);
  if (blocks == nullptr || digests == nullptr) return false;
  vram::hash::BestPath().hash_blocks(blocks, count, digests);
  return true;
}

}  // namespace

SIM_EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                                   unsigned block_y, unsigned block_z, unsigned shared_bytes, CUstream stream,
                                   void** parameters, void** extra) {
  Call call("cuLaunchKernel", Needs::kContext);
  if (call.refused()) return call.refused();
  Machine& machine = call.machine();
  if (!machine.streams.contains(stream)) return driver::kInvalidHandle;
  const auto found = FindFunction(machine, function);
  if (found == nullptr) return driver::kInvalidHandle;
  if (grid_x == 0 || grid_x > 0x7fffffff || block_x == 0 || block_x > 1024) return driver::kInvalidValue;
  // One-dimensional grids without shared memory are all that the project launches.
  if (grid_y != 1 || grid_z != 1 || block_y != 1 || block_z != 1 || shared_bytes != 0 || extra != nullptr)
    return driver::kNotSupported;
  if (parameters == nullptr && !found->parameter_bytes.empty()) return driver::kInvalidValue;
  for (Trigger& skipped : machine.faults.skipped_kernels) {
    if (skipped.Fires()) return driver::kSuccess;
  }
  Launch launch{found.get(), grid_x, block_x, {}, {}};
  for (std::size_t k = 0; k < found->parameter_bytes.size(); ++k) {
    std::uint64_t value = 0;
    std::memcpy(&value, parameters[k], found->parameter_bytes[k]);
    launch.parameters.push_back(value);
  }
  Reachable reachable = ReachableBy(machine, call.ordinal());
  launch.memory = std::move(reachable.windows);

  const bool natively = machine.hashes_natively;
  // A long kernel must not hold up whoever looks at the machine meanwhile.
  call.lock().unlock();
  const CUresult result = natively && HashNatively(launch) ? driver::kSuccess : Execute(launch);
  call.lock().lock();
  if (result != driver::kSuccess) call.device().lost = result;
  return driver::kSuccess;
}
