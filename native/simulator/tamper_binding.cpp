// The threat model's hostile engine: native code of the same process that was handed a view, and does with the memory what
// no engine should. Works on any driver; it knows nothing but the public header. Arguments were validated in TypeScript.

#include <napi.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

#include "../driver/abi.h"
#include "vram_view.h"

namespace {

using namespace vram::driver;

struct Driver {
#define X(symbol, parameters) CUresult(*symbol) parameters;
#include "../driver/entry_points.inc"
#undef X
};

Driver DriverOf(VramView* view) {
  Driver driver = {};
#define X(symbol, parameters) *reinterpret_cast<void**>(&driver.symbol) = view->driver_symbol(view, #symbol);
#include "../driver/entry_points.inc"
#undef X
  return driver;
}

void Need(CUresult result) {
  if (result != kSuccess) throw std::runtime_error("the driver answered " + std::to_string(result));
}

VramView* ViewOf(const Napi::Value& value) {
  VramView* const view = vram_view_of(value.Env(), value);
  if (view == nullptr) throw std::runtime_error("view must be a view of device memory");
  return view;
}

DLManagedTensorVersioned* AcquireFrom(VramView* view) {
  DLManagedTensorVersioned* tensor = nullptr;
  const int status = view->acquire(view, &tensor);
  if (status != VRAM_VIEW_OK) throw std::runtime_error("the view was not given, status " + std::to_string(status));
  return tensor;
}

// An acquired tensor in its device's primary context, on a stream of its own.
class Engine {
 public:
  explicit Engine(VramView* view) : driver_(DriverOf(view)), tensor_(AcquireFrom(view), view->release) {
    const DLTensor& tensor = tensor_->dl_tensor;
    Need(driver_.cuDeviceGet(&device_, tensor.device.device_id));
    CUcontext context = nullptr;
    Need(driver_.cuDevicePrimaryCtxRetain(&context, device_));
    Need(driver_.cuCtxSetCurrent(context));
    Need(driver_.cuStreamCreate(&stream_, kStreamNonBlocking));
    address_ = reinterpret_cast<CUdeviceptr>(tensor.data) + tensor.byte_offset;
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() {
    driver_.cuStreamDestroy_v2(stream_);
    driver_.cuCtxSetCurrent(nullptr);
    driver_.cuDevicePrimaryCtxRelease_v2(device_);
  }

  // Whether the view has a byte there.
  bool Has(std::uint64_t offset) const {
    const DLTensor& tensor = tensor_->dl_tensor;
    std::uint64_t bits = std::uint64_t{tensor.dtype.bits} * tensor.dtype.lanes;
    for (int axis = 0; axis < tensor.ndim; ++axis) bits *= static_cast<std::uint64_t>(tensor.shape[axis]);
    return offset < (bits + 7) / 8;
  }

  // Maps the memory writable, flips a bit, and covers its tracks.
  void Flip(CUdeviceptr offset, int bit) {
    const CUdeviceptr at = address_ + offset;
    SetAccess(kAccessReadWrite);
    unsigned char byte = 0;
    Need(driver_.cuMemcpyDtoHAsync_v2(&byte, at, 1, stream_));
    Need(driver_.cuStreamSynchronize(stream_));
    byte = static_cast<unsigned char>(byte ^ (1u << bit));
    Need(driver_.cuMemcpyHtoDAsync_v2(at, &byte, 1, stream_));
    Need(driver_.cuStreamSynchronize(stream_));
    SetAccess(kAccessRead);
  }

  // Runs a kernel that stores into the memory as it is mapped; what the driver said of it.
  CUresult Store() {
    static const char kPtx[] =
        ".version 6.0\n.target sm_60\n.address_size 64\n.visible .entry store(.param .u64 to)\n{\n .reg .b32 %r<2>;\n"
        " .reg .b64 %rd<3>;\n ld.param.u64 %rd1, [to];\n cvta.to.global.u64 %rd2, %rd1;\n mov.u32 %r1, 5;\n"
        " st.global.u32 [%rd2], %r1;\n ret;\n}\n";
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    Need(driver_.cuModuleLoadDataEx(&module, kPtx, 0, nullptr, nullptr));
    Need(driver_.cuModuleGetFunction(&function, module, "store"));
    CUdeviceptr to = address_ & ~CUdeviceptr{3};
    void* parameters[] = {&to};
    CUresult result = driver_.cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, stream_, parameters, nullptr);
    if (result == kSuccess) result = driver_.cuStreamSynchronize(stream_);
    driver_.cuModuleUnload(module);
    return result;
  }

 private:
  void SetAccess(int access) {
    CUdeviceptr start = 0;
    size_t bytes = 0;
    Need(driver_.cuPointerGetAttribute(&start, kPointerRangeStart, address_));
    Need(driver_.cuPointerGetAttribute(&bytes, kPointerRangeSize, address_));
    const CUmemAccessDesc description = {{kLocationDevice, tensor_->dl_tensor.device.device_id}, access};
    Need(driver_.cuMemSetAccess(start, bytes, &description, 1));
  }

  const Driver driver_;
  const std::unique_ptr<DLManagedTensorVersioned, void (*)(DLManagedTensorVersioned*)> tensor_;
  CUdevice device_ = 0;
  CUstream stream_ = nullptr;
  CUdeviceptr address_ = 0;
};

template <class Work>
Napi::Value Try(const Napi::CallbackInfo& info, Work work) {
  try {
    return work();
  } catch (const std::runtime_error& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

// flip(view, byteOffset, bit): false if the view has no such byte
Napi::Value Flip(const Napi::CallbackInfo& info) {
  return Try(info, [&] {
    Engine engine(ViewOf(info[0]));
    const auto offset = static_cast<CUdeviceptr>(info[1].As<Napi::Number>().Int64Value());
    const bool is_there = engine.Has(offset);
    if (is_there) engine.Flip(offset, info[2].As<Napi::Number>().Int32Value());
    return Napi::Boolean::New(info.Env(), is_there);
  });
}

// store(view): the driver's result code
Napi::Value Store(const Napi::CallbackInfo& info) {
  return Try(info, [&] { return Napi::Number::New(info.Env(), Engine(ViewOf(info[0])).Store()); });
}

// hold(view): a function that gives the tensor back, once
Napi::Value Hold(const Napi::CallbackInfo& info) {
  return Try(info, [&] {
    VramView* const view = ViewOf(info[0]);
    const auto release = [tensor = AcquireFrom(view), release = view->release](const Napi::CallbackInfo&) mutable {
      if (tensor != nullptr) release(std::exchange(tensor, nullptr));
    };
    return Napi::Function::New(info.Env(), release);
  });
}

std::string Spelled(const void* address, const char* form) {
  char text[32] = {};
  std::snprintf(text, sizeof text, form, static_cast<unsigned long long>(reinterpret_cast<std::uintptr_t>(address)));
  return text;
}

// appearsIn(view, text): whether the address of the memory, or of the native object, is in a text
Napi::Value AppearsIn(const Napi::CallbackInfo& info) {
  return Try(info, [&] {
    VramView* const view = ViewOf(info[0]);
    const std::unique_ptr<DLManagedTensorVersioned, void (*)(DLManagedTensorVersioned*)> tensor(AcquireFrom(view), view->release);
    const std::string text = info[1].As<Napi::String>();
    bool found = false;
    for (const void* const address : {static_cast<const void*>(view), static_cast<const void*>(tensor->dl_tensor.data)}) {
      for (const char* const form : {"%llx", "%llX", "%llu"}) {
        found = found || text.find(Spelled(address, form)) != std::string::npos;
      }
    }
    return Napi::Boolean::New(info.Env(), found);
  });
}

// leak(view): the address of the native object as text
Napi::Value Leak(const Napi::CallbackInfo& info) {
  return Try(info, [&] { return Napi::String::New(info.Env(), Spelled(ViewOf(info[0]), "%llx")); });
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("flip", Napi::Function::New(env, Flip));
  exports.Set("store", Napi::Function::New(env, Store));
  exports.Set("hold", Napi::Function::New(env, Hold));
  exports.Set("appearsIn", Napi::Function::New(env, AppearsIn));
  exports.Set("leak", Napi::Function::New(env, Leak));
  return exports;
}

}  // namespace

NODE_API_MODULE(vram_tamper, Init)
