"""Copies a tensor back from the GPU and hashes it on the host, the other way to check weights in device memory.

python3 torch_peer.py BYTES; for each line it reads, does so once and prints one line of JSON.
"""

import hashlib
import json
import sys
import time

import torch

byte_length = int(sys.argv[1])
tensor = torch.randint(0, 256, (byte_length,), dtype=torch.uint8, device="cuda")
torch.cuda.synchronize()

for _ in sys.stdin:
    start = time.perf_counter()
    copied = tensor.cpu()
    copy_seconds = time.perf_counter() - start
    hashlib.sha256(memoryview(copied.numpy())).hexdigest()
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "bytes": byte_length, "copySeconds": copy_seconds}), flush=True)
