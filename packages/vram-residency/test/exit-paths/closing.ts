import { flipBit } from "vram-simulator/control";
import type { SealedSet } from "../../src/index.js";
import { bufferIdOf, deferred } from "../fixture.js";
import { ERROR, LOST, endTrail, fails, stopElsewhere, stopped } from "./row.js";
import type { Operation, Row } from "./row.js";
import type { Scene } from "./scene.js";

const CLOSED = "info worker.stopped closed null";

interface Closing {
  readonly close: Operation["act"];
  readonly shardIds: readonly string[];
  readonly cause: "released" | "closed";
}

/** A bit flips behind the wipe, just before the wipe is checked. */
const flipBehindWipe = ({ shards: [shard] }: Scene): void => {
  flipBit({ bufferId: bufferIdOf(shard), byteOffset: 7 }, { entryPoint: "cuLaunchKernel" });
};

/** An execution holds the shards until they are being closed, and does something then. */
const executeUntilClosed = (what: (scene: Scene) => unknown) => async (scene: Scene): Promise<void> => {
  const started = deferred();
  const isOpen = (): boolean => scene.state === "ready" && scene.shards.every(({ sealed }) => sealed);
  void scene.executeElsewhere(async () => {
    started.resolve();
    while (isOpen()) await new Promise(setImmediate);
    await what(scene);
  });
  await started.promise;
};

/** How every end of shards may go: their memory goes whatever happens, and only a caller's mistake is an error. */
const closing = ({ close, shardIds, cause }: Closing): readonly Row[] => {
  const isWorker = cause === "closed";
  const events = (memory: string, severity = "info"): readonly string[] => shardIds.map((shardId) => `${severity} shard.deallocated ${shardId} ${cause} ${memory}`);
  const fine = { ends: undefined, events: [...events("wiped"), ...(isWorker ? [CLOSED] : [])], state: isWorker ? "closed" : "ready" } as const;
  /** The first shard shows what is wrong, and the worker stops; one that closes goes on to its end. */
  const wrong = ([first = "", ...others]: readonly string[], code: string) =>
    ({ ends: undefined, events: isWorker ? [first, ...others, CLOSED] : [first, stopped(code), ...others], state: isWorker ? "closed" : "stopped" }) as const;
  const ended = isWorker ? "closed" : "stopped";
  return [
    { exit: "success", ...fine },
    { exit: "success", when: "behind an execution", arrange: executeUntilClosed(() => undefined), ...fine },
    { exit: "success", when: "once more", arrange: close, ...fine, events: [] },
    { exit: "caller error", when: "by an fn that holds the shard", act: (scene) => scene.executeElsewhere(() => close(scene)), ends: "INVALID_INPUT", events: [], state: "ready" },
    { exit: "driver failure", when: "the addresses stay reserved", arrange: fails("cuMemAddressFree", ERROR), ...fine },
    { exit: "driver failure", when: "the memory stays mapped", arrange: fails("cuMemUnmap", ERROR, true), ...wrong(events("wiped"), "CUDA_FAILED") },
    { exit: "device lost", when: "at the wipe", arrange: fails("cuMemsetD8Async", LOST), ...wrong(events("not wiped lost", "critical"), "DEVICE_LOST") },
    { exit: "called while stopped", when: "another operation found damage", arrange: stopElsewhere, ends: undefined, events: events("wiped"), state: ended },
    { exit: "audit failure", when: "at the end of the memory", arrange: endTrail, ends: isWorker ? "AUDIT_UNAVAILABLE" : undefined, events: [], state: ended },
    { exit: "failed wipe", when: "by a driver error", arrange: fails("cuMemsetD8Async", ERROR, true), ...wrong(events("not wiped", "critical"), "CUDA_FAILED") },
  ];
};

/** Of one shard. */
const dirty = (cause: string): string => `critical shard.deallocated s ${cause} not wiped`;

const stopMeanwhile = (shardIds: readonly string[]): Row => ({
  ...{ exit: "stop meanwhile", when: "behind an execution", arrange: executeUntilClosed(stopElsewhere) },
  ...{ ends: undefined, events: shardIds.map((shardId) => `info shard.deallocated ${shardId} released wiped`), state: "stopped" },
});

/** The trail's last checkpoint is kept nowhere. */
const loseCheckpoint = (scene: Scene): void => {
  scene.onCheckpoint = () => {
    throw new Error("unreachable");
  };
};

async function prepareShard(scene: Scene): Promise<void> {
  await scene.open();
  await scene.seal("s");
}

async function prepareSet(scene: Scene): Promise<void> {
  await scene.open();
  scene.target = await scene.sealSet("m");
}

/** Ends take no argument, and ask no policy and no key. */
const NEVER = ["policy refusal", "out of memory", "abort", "key unavailable", "tampering", "fn throws"] as const;

const closeShard: Operation["act"] = ({ shards: [shard] }) => shard.close();
const closeSet: Operation["act"] = ({ target }) => (target as SealedSet).close();
const closeWorker: Operation["act"] = ({ residency }) => residency.close();

/** The operations that give memory back. */
export const closings: readonly Operation[] = [
  {
    ...{ method: "SealedShard.close", of: "a shard", prepare: prepareShard, act: closeShard, never: NEVER },
    rows: [
      ...closing({ close: closeShard, shardIds: ["s"], cause: "released" }),
      stopMeanwhile(["s"]),
      { exit: "failed wipe", when: "by its check", arrange: flipBehindWipe, ends: undefined, events: [dirty("released"), stopped("INTEGRITY_VIOLATION")], state: "stopped" },
    ],
  },
  {
    ...{ method: "SealedSet.close", of: "two shards", prepare: prepareSet, act: closeSet, never: NEVER },
    rows: [...closing({ close: closeSet, shardIds: ["m-0", "m-1"], cause: "released" }), stopMeanwhile(["m-0", "m-1"])],
  },
  {
    // A worker that closes has left what could stop.
    ...{ method: "Residency.close", of: "a worker with a shard", prepare: prepareShard, act: closeWorker, never: [...NEVER, "stop meanwhile"] },
    rows: [
      ...closing({ close: closeWorker, shardIds: ["s"], cause: "closed" }),
      { exit: "audit failure", when: "at the end of the trail", arrange: loseCheckpoint, ends: "AUDIT_UNAVAILABLE", events: ["info shard.deallocated s closed wiped", CLOSED], state: "closed" },
      { exit: "failed wipe", when: "by its check", arrange: flipBehindWipe, ends: undefined, events: [dirty("closed"), CLOSED], state: "closed" },
    ],
  },
];
