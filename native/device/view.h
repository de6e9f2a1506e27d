// The one way an address leaves this folder: to native code of the same process, as a DLPack tensor, while a lease lasts.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "device/use_gate.h"
#include "driver/library.h"
#include "vram_view.h"

namespace vram::device {

/// Element type and shape of a tensor; the empty shape is a scalar.
struct TensorType {
  DLDataType dtype;
  std::vector<std::int64_t> shape;
};

/// What native code gets from a JavaScript view object: the public table, and behind it what a tensor is made of.
class View final : public VramView {
 public:
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  /// From here on nothing can be acquired; what was acquired stays valid.
  void End() noexcept { ended_ = true; }

 private:
  friend class Context;
  struct Origin {
    std::shared_ptr<const driver::Library> library;
    std::shared_ptr<UseGate> gate;
    int ordinal;
    CUdeviceptr address;
  };
  struct Tensor;

  View(Origin origin, TensorType type);

  static std::int32_t Acquire(VramView* view, DLManagedTensorVersioned** tensor);
  static void Release(DLManagedTensorVersioned* tensor);
  static void* DriverSymbol(VramView* view, const char* name);

  const Origin origin_;
  const TensorType type_;
  std::atomic<bool> ended_ = false;
};

}  // namespace vram::device
