import { damageFirst } from "./verifying.js";
import { given, misplaced, stopElsewhere, stopped } from "./row.js";
import type { Operation } from "./row.js";
import type { Scene } from "./scene.js";

const REFUSED = "SEAL_VERIFICATION_FAILED";

async function prepare(scene: Scene): Promise<void> {
  await scene.open();
  await scene.seal("s");
}

/** A scrub until the first pass of it ended, or the worker stopped. */
const scrub: Operation["act"] = async ({ residency, options }) => {
  const scrubber = residency.startScrub({ periodMs: 20, ...options });
  while (residency.state === "ready" && scrubber.progress.every(({ passes }) => passes === 0)) await new Promise((resolve) => setTimeout(resolve, 2));
  await scrubber.close();
};

const found = (told: string) =>
  ({ ends: undefined, events: [`critical seal.verification_failed s ${told}`, stopped(REFUSED)], state: "stopped" }) as const;

export const scrubbing: Operation = {
  ...{ method: "Residency.startScrub", of: "a worker with a shard", prepare, act: scrub },
  // It ends by itself: what goes wrong meanwhile is told by the trail and the worker's signal.
  never: ["driver failure", "device lost", "out of memory", "abort", "stop meanwhile", "audit failure", "key unavailable", "fn throws", "failed wipe"],
  rows: [
    { exit: "success", ends: undefined, events: ["info shard.scrubbed s"], state: "ready" },
    { exit: "caller error", when: "an option is unknown", arrange: given({ options: { other: 1 } }), ends: "INVALID_INPUT", events: [], state: "ready" },
    { exit: "policy refusal", when: "the memory is managed", arrange: misplaced, ...found("placement not-managed") },
    { exit: "called while stopped", arrange: stopElsewhere, ends: "STOPPED", events: [], state: "stopped" },
    { exit: "tampering", when: "a bit flipped", arrange: damageFirst, ...found("digest") },
  ],
};
