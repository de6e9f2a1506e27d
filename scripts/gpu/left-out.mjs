// Tests that a bundle does not run, as paths below packages/, each with its reason.
const NO_DEVICE = "needs no device";
const FAULTS = "only tests of what the simulator does and tells";

export const leftOut = {
  "vram-audit": NO_DEVICE,
  "vram-cuda/src": NO_DEVICE,
  "vram-cuda/test/driver-errors.test.ts": FAULTS,
  "vram-cuda/test/environment.test.ts": FAULTS,
  "vram-cuda/test/faults.test.ts": FAULTS,
  "vram-policy": NO_DEVICE,
  "vram-residency/test/audit-command.test.ts": NO_DEVICE,
  "vram-residency/test/behaviour/undefined-step.test.ts": "starts Vitest, which is not in the bundle",
  "vram-residency/test/concurrent-model.test.ts": "its model counts what the simulator holds",
  "vram-residency/test/damage.test.ts": FAULTS,
  "vram-residency/test/devices.test.ts": "needs several devices",
  "vram-residency/test/dashboard.test.ts": NO_DEVICE,
  "vram-residency/test/exit-paths.test.ts": FAULTS,
  "vram-residency/test/faults.test.ts": FAULTS,
  "vram-residency/test/kernel-verity.test.ts": "replaces a module, which needs Vitest itself",
  "vram-residency/test/model-based.test.ts": "its model counts what the simulator holds",
  "vram-residency/test/model/gguf.test.ts": NO_DEVICE,
  "vram-residency/test/model/hostile.test.ts": NO_DEVICE,
  "vram-residency/test/model/safetensors.test.ts": NO_DEVICE,
  "vram-residency/test/model/shard-index.test.ts": NO_DEVICE,
  "vram-residency/test/readme.test.ts": "compiles TypeScript of the repository",
  "vram-residency/test/requirements/leakage.test.ts": FAULTS,
  "vram-residency/test/requirements/memory-race.test.ts": FAULTS,
  "vram-residency/test/scrub.test.ts": FAULTS,
  "vram-residency/test/set-devices.test.ts": "needs several devices",
  "vram-seal": NO_DEVICE,
  "vram-simulator": FAULTS,
  "vram-text": NO_DEVICE,
};
