import { generate } from "vram-seal";
import type { SealKey } from "vram-seal";
import { backend, lockedKey, watchedKey } from "../fixture.js";
import { both, endKey, endTrail, given, stopElsewhere, stopped, throwUnforeseen } from "./row.js";
import type { Operation } from "./row.js";
import type { Scene } from "./scene.js";

/** These touch no device memory and take no signal. */
const NEVER = ["driver failure", "device lost", "out of memory", "abort", "tampering", "fn throws", "failed wipe"] as const;

/** A new key that does something before it is used. */
const newKey = (before: (scene: Scene) => unknown) => async (scene: Scene): Promise<void> => {
  scene.key = watchedKey(await generate(), () => before(scene));
};

async function endedKey(scene: Scene): Promise<void> {
  const key = await generate();
  await key.close();
  scene.key = key;
}

const lockedOnly = { policy: { ...backend.policy, requireLockedKey: true } };

async function unlockedKey(scene: Scene): Promise<void> {
  scene.key = lockedKey(await generate(), false);
}

const ROTATED = "info key.rotated";
const REFUSED = "critical policy.violation rotate null seal-key-locked";

const rotating: Operation = {
  ...{ method: "Residency.rotateSealKey", of: "a worker", never: NEVER },
  prepare: async (scene) => {
    await scene.open();
    scene.key = await generate();
  },
  act: ({ residency, key }) => residency.rotateSealKey(key as SealKey),
  rows: [
    { exit: "success", ends: undefined, events: [ROTATED], state: "ready" },
    { exit: "caller error", when: "there is no key", arrange: given({ key: null }), ends: "INVALID_INPUT", events: [], state: "ready" },
    { exit: "caller error", when: "the key signs already", arrange: (scene) => { scene.key = scene.sealKey; }, ends: "INVALID_INPUT", events: [], state: "ready" },
    { exit: "policy refusal", when: "of an unlocked key", opening: lockedOnly, arrange: unlockedKey, ends: "POLICY_VIOLATION", events: [REFUSED], state: "ready" },
    { exit: "called while stopped", when: "another operation found damage", arrange: stopElsewhere, ends: "STOPPED", events: [], state: "stopped" },
    { exit: "stop meanwhile", when: "while the new key is tried", arrange: newKey(stopElsewhere), ends: "STOPPED", events: [], state: "stopped" },
    { exit: "audit failure", when: "at the success", arrange: endTrail, ends: "AUDIT_UNAVAILABLE", events: [], state: "stopped" },
    { exit: "audit failure", when: "at the refusal", opening: lockedOnly, arrange: both(unlockedKey, endTrail), ends: "AUDIT_UNAVAILABLE", events: [], state: "stopped" },
    { exit: "key unavailable", when: "the new one", arrange: endedKey, ends: "KEY_UNAVAILABLE", events: [], state: "ready" },
    { exit: "key unavailable", when: "the new one, for a reason that nobody foresaw", arrange: newKey(throwUnforeseen), ends: "STOPPED", events: [stopped("STOPPED")], state: "stopped" },
  ],
};

/** A second key signs by now; the first is the one to retire. */
async function prepareRetirement(scene: Scene): Promise<void> {
  await scene.open();
  await scene.residency.rotateSealKey(await generate());
  scene.keyId = scene.sealKey.keyId;
}

async function sealAndRotate(scene: Scene): Promise<void> {
  const next = await generate();
  await scene.residency.rotateSealKey(next);
  await scene.seal("s");
  await scene.residency.rotateSealKey(await generate());
  scene.keyId = next.keyId;
}

/** Changes of keys are made one after another: the retirement waits for a rotation, and meanwhile the worker stops. */
async function retireBehindRotation(scene: Scene): Promise<void> {
  const { residency, keyId } = scene;
  const key = watchedKey(await generate(), () => scene.stopElsewhere());
  const [, retirement] = await Promise.allSettled([residency.rotateSealKey(key), residency.retireSealKey(keyId)]);
  if (retirement.status === "rejected") throw retirement.reason;
}

const retiring: Operation = {
  ...{ method: "Residency.retireSealKey", of: "a worker", never: [...NEVER, "policy refusal"] },
  prepare: prepareRetirement,
  act: ({ residency, keyId }) => residency.retireSealKey(keyId),
  rows: [
    { exit: "success", ends: undefined, events: ["info key.retired"], state: "ready" },
    { exit: "caller error", when: "no key has this id", arrange: given({ keyId: "0".repeat(16) }), ends: "INVALID_INPUT", events: [], state: "ready" },
    { exit: "caller error", when: "a shard is sealed with the key", arrange: sealAndRotate, ends: "INVALID_INPUT", events: [], state: "ready" },
    { exit: "called while stopped", when: "another operation found damage", arrange: stopElsewhere, ends: "STOPPED", events: [], state: "stopped" },
    { exit: "stop meanwhile", when: "while it waits for a rotation", act: retireBehindRotation, ends: "STOPPED", events: [], state: "stopped" },
    { exit: "audit failure", when: "at the success", arrange: endTrail, ends: "AUDIT_UNAVAILABLE", events: [], state: "stopped" },
    { exit: "key unavailable", when: "the retired one", arrange: endKey, ends: undefined, events: ["info key.retired"], state: "ready" },
  ],
};

/** The operations on the keys of seals. */
export const keyChanges: readonly Operation[] = [rotating, retiring];
