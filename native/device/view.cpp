#include "device/view.h"

#include <bit>
#include <new>

#include "device/checked.h"
#include "device/context.h"

namespace vram::device {
namespace {

constexpr std::uint64_t kLargestRank = 32;

/// Elements of a shape times their bits, as bytes; nothing where it is no whole number of bytes or too large.
std::optional<std::uint64_t> ByteLengthOf(const TensorType& type) {
  std::optional<std::uint64_t> bits = std::uint64_t{type.dtype.bits} * type.dtype.lanes;
  for (const std::int64_t extent : type.shape) {
    if (extent < 0 || !bits) return std::nullopt;
    bits = Multiply(*bits, static_cast<std::uint64_t>(extent));
  }
  return bits && *bits % 8 == 0 ? std::optional(*bits / 8) : std::nullopt;
}

}  // namespace

/// A tensor that native code holds. It needs neither the view nor the mapping, only its place in the gate.
struct View::Tensor {
  DLManagedTensorVersioned managed = {};
  std::shared_ptr<UseGate> gate;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};

View::View(Origin origin, TensorType type)
    : VramView{VRAM_VIEW_VERSION, sizeof(VramView), &View::Acquire, &View::Release, &View::DriverSymbol},
      origin_(std::move(origin)),
      type_(std::move(type)) {}

std::int32_t View::Acquire(VramView* view, DLManagedTensorVersioned** tensor) {
  const View& self = *static_cast<View*>(view);
  if (self.ended_) return VRAM_VIEW_ENDED;
  try {
    auto made = std::make_unique<Tensor>();
    made->gate = self.origin_.gate;
    made->shape = self.type_.shape;
    made->strides.resize(made->shape.size());
    std::int64_t stride = 1;
    for (std::size_t axis = made->shape.size(); axis-- > 0; stride *= made->shape[axis]) made->strides[axis] = stride;
    made->managed.version = {1, 1};
    made->managed.manager_ctx = made.get();
    made->managed.deleter = &View::Release;
    made->managed.flags = DLPACK_FLAG_BITMASK_READ_ONLY;
    made->managed.dl_tensor = {
        std::bit_cast<void*>(self.origin_.address),
        {kDLCUDA, self.origin_.ordinal},
        static_cast<std::int32_t>(made->shape.size()),
        self.type_.dtype,
        made->shape.data(),
        made->strides.data(),
        0,
    };
    if (!made->gate->Enter()) return VRAM_VIEW_ENDED;
    *tensor = &made.release()->managed;
    return VRAM_VIEW_OK;
  } catch (const std::bad_alloc&) {
    return VRAM_VIEW_OUT_OF_HOST_MEMORY;
  }
}

void View::Release(DLManagedTensorVersioned* tensor) {
  const std::unique_ptr<Tensor> held(static_cast<Tensor*>(tensor->manager_ctx));
  held->gate->Leave();
}

void* View::DriverSymbol(VramView* view, const char* name) {
  return static_cast<View*>(view)->origin_.library->Symbol(name);
}

Result<std::unique_ptr<View>> Context::ViewOf(const Mapping& mapping, std::uint64_t offset, std::uint64_t byte_length,
                                              TensorType type) const {
  if (type.shape.size() > kLargestRank) return InvalidInput("shape must have at most 32 dimensions");
  if (ByteLengthOf(type) != byte_length) return InvalidInput("byteLength must be that of the shape and data type");
  Result<CUdeviceptr> address = AtImage(mapping, offset, byte_length);
  if (!address.ok()) return std::move(address).error();
  return std::unique_ptr<View>(new View({library_, mapping.gate_, ordinal_, address.value()}, std::move(type)));
}

}  // namespace vram::device
