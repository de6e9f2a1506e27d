/* vram_view.h - reading sealed device memory from native code of the same process. C99 and C++11; nothing to link.
 *
 * A worker runs `residency.execute(shard, (lease) => engine.run(lease.view(tensor)))`. What lease.view() gives is an opaque
 * object: no address ever becomes a JavaScript value. A native addon turns it into a table of functions, and that into a
 * DLPack 1.1 tensor:
 *
 *   #include <node_api.h>                                   // NAPI_VERSION 8 or newer, before this header
 *   #include "vram_view.h"
 *
 *   VramView* view = vram_view_of(env, value);              // NULL: not a view
 *   DLManagedTensorVersioned* tensor = NULL;
 *   if (view == NULL || view->acquire(view, &tensor) != VRAM_VIEW_OK) { ... refuse ... }
 *   ... use tensor->dl_tensor on the device ...
 *   view->release(tensor);                                  // the same as tensor->deleter(tensor)
 *
 * The tensor: device type kDLCUDA, device_id the ordinal whose *primary context* maps the memory; flag READ_ONLY (the memory
 * is mapped read-only, a store ends the context); compact row-major strides; byte_offset 0 and data aligned as
 * TensorView.alignment said. Types that DLPack does not have (quantised blocks) come as bytes, one-dimensional.
 *
 * Lifetimes: the VramView belongs to its JavaScript object; use it during the call that was given the object, on that
 * thread. An acquired tensor stays valid until it is released, on any thread, also after the lease; until then the shard is
 * neither wiped nor freed. Releasing it after all work that reads it has finished on the device is up to the caller; a
 * tensor that is never released keeps its memory, and the worker that cannot wipe it stops and says so.
 */
#ifndef VRAM_VIEW_H
#define VRAM_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The interface described here. A later version only adds members at the end of VramView. */
#define VRAM_VIEW_VERSION 1u

/* The napi_type_tag of a view object. */
#define VRAM_VIEW_TAG_LOWER UINT64_C(0x7c1f4f0b2a6d49e3)
#define VRAM_VIEW_TAG_UPPER UINT64_C(0x9d52e8a1b0374c6f)

/* DLPack 1.1, what of it is needed here; dlpack.h itself takes precedence where it was included before. */
#ifndef DLPACK_DLPACK_H_
typedef struct {
  uint32_t major, minor;
} DLPackVersion;

enum { kDLCUDA = 2 };
enum { kDLInt = 0, kDLUInt = 1, kDLFloat = 2, kDLBfloat = 4, kDLComplex = 5, kDLBool = 6 };
enum { kDLFloat8_e4m3fn = 10, kDLFloat8_e5m2 = 12, kDLFloat8_e8m0fnu = 14 };
#define DLPACK_FLAG_BITMASK_READ_ONLY (UINT64_C(1) << 0)

typedef struct {
  int32_t device_type, device_id;
} DLDevice;

typedef struct {
  uint8_t code, bits;
  uint16_t lanes;
} DLDataType;

typedef struct {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides; /* in elements */
  uint64_t byte_offset;
} DLTensor;

typedef struct DLManagedTensorVersioned {
  DLPackVersion version;
  void* manager_ctx;
  void (*deleter)(struct DLManagedTensorVersioned* self);
  uint64_t flags;
  DLTensor dl_tensor;
} DLManagedTensorVersioned;
#endif

enum {
  VRAM_VIEW_OK = 0,
  /* The lease has ended, or the memory is being released: the weights are no longer known to be verified. */
  VRAM_VIEW_ENDED = 1,
  VRAM_VIEW_OUT_OF_HOST_MEMORY = 2
};

typedef struct VramView VramView;

struct VramView {
  uint32_t version;     /* VRAM_VIEW_VERSION of the library that made this table, at least the one asked for below */
  uint32_t struct_size; /* in bytes */
  /* Gives a tensor that must be released. Answers a VRAM_VIEW_ code; *tensor is set only with VRAM_VIEW_OK. */
  int32_t (*acquire)(VramView* view, DLManagedTensorVersioned** tensor);
  /* Gives an acquired tensor back, once. */
  void (*release)(DLManagedTensorVersioned* tensor);
  /* An entry point of the very driver library that holds the memory ("cuLaunchKernel"), or NULL. */
  void* (*driver_symbol)(VramView* view, const char* name);
};

#ifdef SRC_NODE_API_H_
/* The table behind a JavaScript value, or NULL where the value is no view of a version this header knows. */
static inline VramView* vram_view_of(napi_env env, napi_value value) {
  static const napi_type_tag tag = {VRAM_VIEW_TAG_LOWER, VRAM_VIEW_TAG_UPPER};
  napi_valuetype type = napi_undefined;
  bool tagged = false;
  void* view = NULL;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return NULL;
  if (napi_check_object_type_tag(env, value, &tag, &tagged) != napi_ok || !tagged) return NULL;
  if (napi_unwrap(env, value, &view) != napi_ok || ((VramView*)view)->version < VRAM_VIEW_VERSION) return NULL;
  return (VramView*)view;
}
#endif

#endif
