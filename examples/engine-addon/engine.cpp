// linear(view, x): y = W x on the device, with W a view of verified weights. As small as an engine can be, and synchronous;
// one in earnest works on threads of its own, and keeps its tensors acquired until the device has read them.
#define NAPI_VERSION 8
#include <node_api.h>

#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel_ptx.h"
#include "vram_view.h"

namespace {

using CUresult = int;
using CUdeviceptr = unsigned long long;

void Need(bool holds, const char* otherwise) {
  if (!holds) throw std::runtime_error(otherwise);
}

// An entry point of the driver that holds the weights; calling it throws what the driver answers.
template <typename... Parameters>
struct DriverCall {
  DriverCall(VramView* view, const char* entry_point) : name(entry_point) {
    void* const symbol = view->driver_symbol(view, name);
    Need(symbol != nullptr, "the driver lacks an entry point");
    std::memcpy(&call, &symbol, sizeof call);
  }
  void operator()(Parameters... parameters) const {
    const CUresult result = call(parameters...);
    if (result != 0) throw std::runtime_error(std::string(name) + " answered " + std::to_string(result));
  }
  // For clean-up, where nobody can be told.
  void Quietly(Parameters... parameters) const { call(parameters...); }
  const char* name;
  CUresult (*call)(Parameters...) = nullptr;
};

struct Driver {
  explicit Driver(VramView* v) : view(v) {}
  VramView* view;
  DriverCall<int*, int> device{view, "cuDeviceGet"};
  DriverCall<void**, int> retain{view, "cuDevicePrimaryCtxRetain"};
  DriverCall<int> release{view, "cuDevicePrimaryCtxRelease_v2"};
  DriverCall<void*> set_current{view, "cuCtxSetCurrent"};
  DriverCall<void**, const void*, unsigned, int*, void**> load{view, "cuModuleLoadDataEx"};
  DriverCall<void*> unload{view, "cuModuleUnload"};
  DriverCall<void**, void*, const char*> function{view, "cuModuleGetFunction"};
  DriverCall<void**, unsigned> create_stream{view, "cuStreamCreate"};
  DriverCall<void*> destroy_stream{view, "cuStreamDestroy_v2"};
  DriverCall<void*> synchronize{view, "cuStreamSynchronize"};
  DriverCall<CUdeviceptr*, size_t> allocate{view, "cuMemAlloc_v2"};
  DriverCall<CUdeviceptr> free{view, "cuMemFree_v2"};
  DriverCall<CUdeviceptr, const void*, size_t, void*> to_device{view, "cuMemcpyHtoDAsync_v2"};
  DriverCall<void*, CUdeviceptr, size_t, void*> to_host{view, "cuMemcpyDtoHAsync_v2"};
  DriverCall<void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**> launch{
      view, "cuLaunchKernel"};
};

// What was done, undone in reverse order.
struct Undo {
  void Later(std::function<void()> step) { steps.push_back(std::move(step)); }
  ~Undo() {
    for (; !steps.empty(); steps.pop_back()) steps.back()();
  }
  std::vector<std::function<void()>> steps;
};

std::vector<float> Linear(VramView* view, const std::vector<float>& x) {
  const Driver driver(view);
  Undo undo;
  DLManagedTensorVersioned* held = nullptr;
  Need(view->acquire(view, &held) == VRAM_VIEW_OK, "the view has ended: its weights are no longer known to be verified");
  undo.Later([&] { view->release(held); });
  const DLTensor& w = held->dl_tensor;
  Need(held->version.major == 1 && w.device.device_type == kDLCUDA, "view must be a DLPack 1 tensor on a CUDA device");
  Need(w.dtype.code == kDLFloat && w.dtype.bits == 32 && w.dtype.lanes == 1, "view must hold F32");
  Need(w.ndim == 2 && w.strides[1] == 1 && w.strides[0] == w.shape[1], "view must be a compact row-major matrix");
  Need(w.shape[0] > 0 && w.shape[0] <= INT32_MAX && w.shape[1] > 0 && w.shape[1] <= INT32_MAX, "view must have 1 to 2^31-1 rows and columns");
  Need(static_cast<size_t>(w.shape[1]) == x.size(), "x must have as many elements as view has columns");

  int device = 0;
  void *context = nullptr, *stream = nullptr, *module = nullptr, *function = nullptr;
  driver.device(&device, w.device.device_id);
  driver.retain(&context, device);
  undo.Later([&] { driver.release.Quietly(device); });
  driver.set_current(context);
  undo.Later([&] { driver.set_current.Quietly(nullptr); });
  driver.create_stream(&stream, 1);  // CU_STREAM_NON_BLOCKING
  undo.Later([&] { driver.destroy_stream.Quietly(stream); });
  driver.load(&module, kKernelPtx, 0, nullptr, nullptr);
  undo.Later([&] { driver.unload.Quietly(module); });
  driver.function(&function, module, "linear");

  std::vector<float> y(static_cast<size_t>(w.shape[0]));
  CUdeviceptr weights = reinterpret_cast<CUdeviceptr>(w.data) + w.byte_offset, input = 0, output = 0;
  driver.allocate(&input, x.size() * sizeof(float));
  undo.Later([&] { driver.free.Quietly(input); });
  driver.allocate(&output, y.size() * sizeof(float));
  undo.Later([&] { driver.free.Quietly(output); });
  unsigned rows = static_cast<unsigned>(w.shape[0]), columns = static_cast<unsigned>(w.shape[1]);
  void* parameters[] = {&weights, &input, &output, &rows, &columns};
  constexpr unsigned kThreads = 128;
  // Whatever happens from here on: the device must be done with the memory before it is given back.
  undo.Later([&] { driver.synchronize.Quietly(stream); });
  driver.to_device(input, x.data(), x.size() * sizeof(float), stream);
  driver.launch(function, (rows + kThreads - 1) / kThreads, 1, 1, kThreads, 1, 1, 0, stream, parameters, nullptr);
  driver.to_host(y.data(), output, y.size() * sizeof(float), stream);
  driver.synchronize(stream);
  return y;
}

napi_value LinearOf(napi_env env, napi_callback_info info) try {
  size_t count = 2, length = 0;
  napi_value arguments[2], buffer = nullptr, result = nullptr;
  napi_typedarray_type type{};
  void* data = nullptr;
  Need(napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) == napi_ok && count == 2, "expected view and x");
  VramView* const view = vram_view_of(env, arguments[0]);
  Need(view != nullptr, "view must be what lease.view() gave");
  Need(napi_get_typedarray_info(env, arguments[1], &type, &length, &data, nullptr, nullptr) == napi_ok && type == napi_float32_array, "x must be a Float32Array");
  const float* const x = static_cast<const float*>(data);
  const std::vector<float> y = Linear(view, {x, x + length});
  Need(napi_create_arraybuffer(env, y.size() * sizeof(float), &data, &buffer) == napi_ok, "out of memory");
  std::memcpy(data, y.data(), y.size() * sizeof(float));
  Need(napi_create_typedarray(env, napi_float32_array, y.size(), buffer, 0, &result) == napi_ok, "out of memory");
  return result;
} catch (const std::exception& error) {
  napi_throw_error(env, nullptr, error.what());
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value linear = nullptr;
  napi_create_function(env, "linear", NAPI_AUTO_LENGTH, LinearOf, nullptr, &linear);
  napi_set_named_property(env, exports, "linear", linear);
  return exports;
}
