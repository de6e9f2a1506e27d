"""What a digest beside other work costs that work: a matrix product on a stream of high priority, the digest kernel on one of
low priority, on one of the same priority, and each alone; and beside the digest of 1 % that a scrub verifies in such a step.
Needs PyTorch with CUDA. Prints one JSON object.

python3 scripts/gpu-contention.py native/kernel/fsverity.ptx
"""

import ctypes
import json
import statistics
import sys
import time

import torch

DATA_BYTES = 1 << 30
BLOCKS = DATA_BYTES // 4096
THREADS = 128
# At least 1 % of the blocks, in whole groups of threads.
SCRUB_BLOCKS = -(-BLOCKS // (100 * THREADS)) * THREADS
MATRIX = 8192
ROUNDS = 100
HIGH, LOW = -1, 0

driver = ctypes.CDLL("libcuda.so.1")


def call(name, *arguments):
    result = getattr(driver, name)(*arguments)
    if result != 0:
        raise SystemExit(f"{name} answered {result}")


def load_kernel(path):
    module, function = ctypes.c_void_p(), ctypes.c_void_p()
    with open(path, "rb") as ptx:
        call("cuModuleLoadData", ctypes.byref(module), ptx.read() + b"\0")
    call("cuModuleGetFunction", ctypes.byref(function), module, b"vram_fsverity_blocks")
    return function


data = torch.randint(-(2**31), 2**31, (DATA_BYTES // 4,), dtype=torch.int32, device="cuda")
digests = torch.empty(DATA_BYTES // 128, dtype=torch.uint8, device="cuda")
left = torch.randn(MATRIX, MATRIX, dtype=torch.bfloat16, device="cuda")
right = torch.randn(MATRIX, MATRIX, dtype=torch.bfloat16, device="cuda")
product = torch.empty_like(left)
kernel = load_kernel(sys.argv[1])
streams = {priority: torch.cuda.Stream(priority=priority) for priority in (HIGH, LOW)}
beside = torch.cuda.Stream(priority=HIGH)


def launch_digest(stream, count):
    values = [ctypes.c_uint64(data.data_ptr()), ctypes.c_uint64(digests.data_ptr()), ctypes.c_uint32(count)]
    parameters = (ctypes.c_void_p * 3)(*[ctypes.addressof(value) for value in values])
    handle = ctypes.c_void_p(stream.cuda_stream)
    call("cuLaunchKernel", kernel, count // THREADS, 1, 1, THREADS, 1, 1, 0, handle, parameters, None)


def seconds_of(multiply, digest_priority, blocks=BLOCKS):
    """Seconds of the products, and of the digest beside them, from one start; None for what was not run."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    digest_stream = None if digest_priority is None else (streams[LOW] if digest_priority == LOW else beside)
    if multiply:
        with torch.cuda.stream(streams[HIGH]):
            for _ in range(4):
                torch.mm(left, right, out=product)
    if digest_stream is not None:
        launch_digest(digest_stream, blocks)
    ends = {}
    if multiply:
        streams[HIGH].synchronize()
        ends["products"] = time.perf_counter() - start
    if digest_stream is not None:
        digest_stream.synchronize()
        ends["digest"] = time.perf_counter() - start
    return ends


cases = {
    "products alone": (True, None),
    "digest alone": (False, LOW),
    "low priority": (True, LOW),
    "same priority": (True, HIGH),
    "1 % alone": (False, HIGH, SCRUB_BLOCKS),
    "1 %, same priority": (True, HIGH, SCRUB_BLOCKS),
}
for case in cases.values():
    seconds_of(*case)
samples = {name: [] for name in cases}
for _ in range(ROUNDS):
    for name, case in cases.items():
        samples[name].append(seconds_of(*case))
medians = {
    name: {key: round(statistics.median(each[key] for each in runs) * 1e3, 3) for key in runs[0]} for name, runs in samples.items()
}
print(json.dumps({"device": torch.cuda.get_device_name(), "medianMs": medians}))
