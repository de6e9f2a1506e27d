import { ERROR, LOST, NO_ROOM, endKey, endTrail, fails, onKey, throwUnforeseen } from "./row.js";
import type { Operation } from "./row.js";

const VIOLATED = "critical policy.violation open null backend-allowed";

export const opening: Operation = {
  ...{ method: "openResidency", of: "a device" },
  act: (scene) => scene.open(),
  never: ["abort", "called while stopped", "stop meanwhile", "tampering", "fn throws", "failed wipe"],
  rows: [
    { exit: "success", ends: undefined, events: ["info worker.started"], state: "ready" },
    { exit: "caller error", when: "an option is bad", opening: { workerId: "" }, ends: "INVALID_CONFIG", events: [], state: "not open" },
    { exit: "caller error", when: "the device is not there", opening: { device: 7 }, ends: "INVALID_INPUT", events: [], state: "not open" },
    { exit: "policy refusal", when: "of the backend", opening: { policy: {} }, ends: "POLICY_VIOLATION", events: [VIOLATED], state: "not open" },
    { exit: "driver failure", when: "there is no driver", opening: { driver: { libraryPath: "/nonexistent" } }, ends: "DRIVER_UNAVAILABLE", events: [], state: "not open" },
    { exit: "driver failure", when: "at the proof of the kernel", arrange: fails("cuLaunchKernel", ERROR), ends: "CUDA_FAILED", events: [], state: "not open" },
    { exit: "driver failure", when: "at the workspace", arrange: fails("cuMemMap", ERROR), ends: "CUDA_ALLOCATION_FAILED", events: [], state: "not open" },
    { exit: "device lost", when: "at the proof of the kernel", arrange: fails("cuLaunchKernel", LOST), ends: "DEVICE_LOST", events: [], state: "not open" },
    { exit: "out of memory", when: "at the workspace", arrange: fails("cuMemCreate", NO_ROOM), ends: "INSUFFICIENT_VRAM", events: [], state: "not open" },
    { exit: "audit failure", when: "at the success", arrange: endTrail, ends: "AUDIT_UNAVAILABLE", events: [], state: "not open" },
    { exit: "audit failure", when: "at the refusal", opening: { policy: {} }, arrange: endTrail, ends: "POLICY_VIOLATION", cause: "AUDIT_UNAVAILABLE", events: [], state: "not open" },
    { exit: "key unavailable", when: "at its proof", arrange: endKey, ends: "KEY_UNAVAILABLE", events: [], state: "not open" },
    { exit: "key unavailable", when: "for a reason that nobody foresaw", arrange: onKey(throwUnforeseen), ends: "STOPPED", events: [], state: "not open" },
  ],
};
