// What a GPU's figures are held against: PyTorch, and what scripts/gpu-probe.cpp measured with the driver alone.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { once } from "./once.mjs";
import { startAnswering } from "./programs.mjs";

const TORCH = fileURLToPath(new URL("torch_peer.py", import.meta.url));
const NO_GPU = "not run on a GPU";

/** By its key in the probe's answer. */
const PROBED = {
  copyPageable: "host-to-device copy",
  memset: "memset",
  arithmeticCeiling: "arithmetic ceiling",
};

const hasTorch = () => spawnSync("python3", ["-c", "import sys, torch; sys.exit(not torch.cuda.is_available())"]).status === 0;

function torchSubject(byteLength) {
  const torch = once(() => startAnswering("python3", [TORCH, String(byteLength)]));
  const measure = async () => JSON.parse(await torch()());
  const here = hasTorch() ? { bytes: byteLength, measure } : { absent: "PyTorch with CUDA is absent" };
  return { id: "copy back and hashlib in PyTorch", ...here };
}

/** A speed that was measured elsewhere, as the time that so many bytes would take. */
function probedSubject([key, id], byteLength, probe) {
  if (probe === undefined) return { id, absent: "no --probe FILE" };
  const speed = probe[key]?.gigabytesPerSecond;
  if (!(speed > 0)) return { id, absent: `the probe has no ${key}` };
  return { id, bytes: byteLength, measure: async () => ({ seconds: byteLength / speed / 1e9 }) };
}

/** Each for as many bytes as what it is held against. */
export function devicePeers({ isGpu, sizes: { main, load, wipe }, probe }) {
  const bytes = { copyPageable: load, memset: wipe, arithmeticCeiling: main };
  if (!isGpu) return ["copy back and hashlib in PyTorch", ...Object.values(PROBED)].map((id) => ({ id, absent: NO_GPU }));
  return [torchSubject(main), ...Object.entries(PROBED).map((entry) => probedSubject(entry, bytes[entry[0]], probe))];
}
