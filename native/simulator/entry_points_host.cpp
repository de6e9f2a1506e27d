// The driver's entry points for page-locked host memory.
#include "call.h"
#include "export.h"

using namespace vram::simulator;
namespace driver = vram::driver;

SIM_EXPORT CUresult cuMemHostRegister_v2(void* memory, size_t bytes, unsigned flags) {
  Call call("cuMemHostRegister_v2", Needs::kContext);
  if (call.refused()) return call.refused();
  if (memory == nullptr || bytes == 0 || flags != 0) return driver::kInvalidValue;
  const bool fresh = call.machine().page_locked.emplace(memory, bytes).second;
  return fresh ? driver::kSuccess : driver::kHostMemoryAlreadyRegistered;
}

SIM_EXPORT CUresult cuMemHostUnregister(void* memory) {
  Call call("cuMemHostUnregister", Needs::kContext);
  if (call.refused()) return call.refused();
  return call.machine().page_locked.erase(memory) == 1 ? driver::kSuccess : driver::kHostMemoryNotRegistered;
}
