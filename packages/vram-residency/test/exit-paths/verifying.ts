import { createSeal, generate, generateAttestationKey } from "vram-seal";
import type { SealStatement } from "vram-seal";
import { failCall, flipBit, skipKernel } from "vram-simulator/control";
import type { ExecuteTarget, SealedShard, VerifyTarget } from "../../src/index.js";
import { backend, bufferIdOf } from "../fixture.js";
import { statementOf } from "../seal-bytes.js";
import { ERROR, LOST, abort, both, endKey, endTrail, fails, given, misplaced, onKey, stopElsewhere, stopped, throwUnforeseen } from "./row.js";
import type { Operation, Row } from "./row.js";
import type { Scene } from "./scene.js";

const REFUSED = "SEAL_VERIFICATION_FAILED";

const verified = (shardId: string): string => `info shard.verified ${shardId}`;

const refused = (shardId: string | null, told: string): Pick<Row, "ends" | "events" | "state"> => ({
  ends: REFUSED,
  events: [`critical seal.verification_failed ${shardId} ${told}`, stopped(REFUSED)],
  state: "stopped",
});

const damage = (shard: SealedShard): void => {
  flipBit({ bufferId: bufferIdOf(shard), byteOffset: 7 });
};
export const damageFirst = ({ shards: [shard] }: Scene): void => {
  damage(shard);
};

const oldAge = { policy: { ...backend.policy, maxSealAgeMs: 1 } };
const wait = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 5));

/** How every verification may end; `shardId` is the first that is verified. */
const verification = (shardId: string): readonly Row[] => [
  { exit: "caller error", when: "the target is nothing", arrange: given({ target: null }), ends: "INVALID_INPUT", events: [], state: "ready" },
  { exit: "caller error", when: "an option is unknown", arrange: given({ options: { other: 1 } }), ends: "INVALID_INPUT", events: [], state: "ready" },
  { exit: "policy refusal", when: "the memory is managed", arrange: misplaced, ...refused(shardId, "placement not-managed") },
  { exit: "policy refusal", when: "the seal is too old", opening: oldAge, arrange: wait, ...refused(shardId, "age") },
  { exit: "driver failure", when: "a launch fails", arrange: fails("cuLaunchKernel", ERROR), ...refused(shardId, "driver") },
  { exit: "driver failure", when: "the kernel does nothing", arrange: () => { skipKernel(); }, ...refused(shardId, "driver") },
  { exit: "device lost", when: "at the digest", arrange: fails("cuLaunchKernel", LOST), ...refused(shardId, "driver") },
  { exit: "abort", when: "before", arrange: abort, ends: "ABORTED", events: [], state: "ready" },
  { exit: "abort", when: "while the device works", arrange: onKey(abort), ends: "ABORTED", events: [], state: "ready" },
  { exit: "called while stopped", when: "another operation found damage", arrange: stopElsewhere, ends: "STOPPED", events: [], state: "stopped" },
  { exit: "audit failure", when: "at the success", arrange: endTrail, ends: "AUDIT_UNAVAILABLE", events: [], state: "stopped" },
  { exit: "audit failure", when: "at the refusal", arrange: both(damageFirst, endTrail), ends: REFUSED, cause: "AUDIT_UNAVAILABLE", events: [], state: "stopped" },
  { exit: "key unavailable", when: "at the MAC", arrange: endKey, ends: "KEY_UNAVAILABLE", events: [], state: "ready" },
  { exit: "key unavailable", when: "for a reason that nobody foresaw", arrange: onKey(throwUnforeseen), ends: "STOPPED", events: [stopped("STOPPED")], state: "stopped" },
  { exit: "tampering", when: "a bit flipped", arrange: damageFirst, ...refused(shardId, "digest") },
];

/** What only a handle of this worker can be, not a seal that is presented. */
const released: Row = { exit: "caller error", when: "the shard was closed", arrange: ({ shards: [shard] }) => shard.close(), ends: "NOT_SEALED", events: [], state: "ready" };

async function prepareShard(scene: Scene): Promise<void> {
  await scene.open();
  scene.target = await scene.seal("s");
}

async function prepareSet(scene: Scene): Promise<void> {
  await scene.open();
  scene.target = await scene.sealSet("m");
}

async function prepareSeal(scene: Scene): Promise<void> {
  await scene.open();
  scene.target = (await scene.seal("s")).seal;
}

/** Presents a seal that whoever has the worker's key can sign. */
const forge = (changes: Partial<SealStatement>) => async (scene: Scene): Promise<void> => {
  const { sealKey, shards: [shard] } = scene;
  const statement = { ...statementOf(shard.seal), ...changes };
  const { instanceId } = statementOf(shard.seal);
  scene.target = await createSeal(statement, { ...sealKey, keyId: statement.keyId, mac: (_, message) => sealKey.mac(instanceId, message) });
};

const forged: readonly Row[] = [
  { exit: "tampering", when: "the seal has no shape", arrange: given({ target: {} }), ...refused(null, "shape") },
  { exit: "tampering", when: "the MAC is wrong", arrange: (scene) => { scene.target = { ...scene.shards[0].seal, mac: Buffer.alloc(32).toString("base64") }; }, ...refused(null, "mac") },
  { exit: "tampering", when: "the statement names another key", arrange: forge({ keyId: "0".repeat(16) }), ...refused(null, "statement") },
  { exit: "tampering", when: "the statement is another", arrange: forge({ modelRef: "other" }), ...refused("s", "statement") },
  { exit: "tampering", when: "the instance is another", arrange: forge({ instanceId: "0".repeat(32) }), ...refused(null, "instance") },
  { exit: "tampering", when: "the shard is unknown", arrange: forge({ shardId: "other" }), ...refused("other", "unknown_shard") },
  { exit: "tampering", when: "the shard was closed", arrange: ({ shards: [shard] }) => shard.close(), ...refused("s", "unknown_shard") },
];

const verify: Operation["act"] = async ({ residency, target, options, signal }) =>
  (await residency.verify(target as VerifyTarget, { signal, ...options })).shardId;

// What was found of the bytes is true, whatever happened to the worker meanwhile.
const verifiedAnyway: Row = { exit: "stop meanwhile", when: "while the device works", arrange: onKey(stopElsewhere), ends: "s", events: [verified("s")], state: "stopped" };

const verifying: readonly Operation[] = [
  {
    ...{ method: "Residency.verify", of: "a shard", prepare: prepareShard, act: verify },
    never: ["out of memory", "fn throws", "failed wipe"],
    rows: [{ exit: "success", ends: "s", events: [verified("s")], state: "ready" }, verifiedAnyway, released, ...verification("s")],
  },
  {
    ...{ method: "Residency.verify", of: "a presented seal", prepare: prepareSeal, act: verify },
    never: ["out of memory", "fn throws", "failed wipe"],
    rows: [{ exit: "success", ends: "s", events: [verified("s")], state: "ready" }, verifiedAnyway, ...forged, ...verification("s")],
  },
];

const execute: Operation["act"] = async ({ residency, target, fn, options, signal }) =>
  residency.execute(target as ExecuteTarget, fn, { signal, ...options });

/** `fn` came and went, and what became of the worker with it. */
const executed = (shardIds: readonly string[]): readonly Row[] => [
  { exit: "success", ends: "done", events: shardIds.map(verified), state: "ready" },
  { exit: "fn throws", arrange: given({ fn: () => { throw new RangeError("mine"); } }), ends: "RangeError", events: shardIds.map(verified), state: "ready" },
  {
    ...{ exit: "device lost", when: "while fn ran", arrange: given({ fn: () => { failCall({ entryPoint: "cuMemGetInfo_v2", code: LOST }); } }) },
    ...{ ends: "DEVICE_LOST", events: [...shardIds.map(verified), stopped("DEVICE_LOST")], state: "stopped" },
  },
  {
    ...{ exit: "stop meanwhile", when: "while fn ran", arrange: (scene) => { scene.fn = async () => { await scene.stopElsewhere(); return "done"; }; } },
    ...{ ends: "done", events: shardIds.map(verified), state: "stopped" },
  },
  { exit: "stop meanwhile", when: "while the device works", arrange: onKey(stopElsewhere), ends: "STOPPED", events: shardIds.map(verified), state: "stopped" },
  { exit: "caller error", when: "fn is none", arrange: given({ fn: undefined as never }), ends: "INVALID_INPUT", events: [], state: "ready" },
  { exit: "caller error", when: "no shard is named", arrange: given({ target: [] }), ends: "INVALID_INPUT", events: [], state: "ready" },
];

const damageSecond = ({ shards: [, second] }: Scene): void => {
  if (second !== undefined) damage(second);
};

/** The first of two shards was verified; the second is not. */
const interrupted: readonly Row[] = [
  { exit: "caller error", when: "a shard is named twice", arrange: (scene) => { scene.target = [...scene.shards, scene.shards[0]]; }, ends: "INVALID_INPUT", events: [], state: "ready" },
  { exit: "abort", when: "at the second", arrange: onKey(abort, 2), ends: "ABORTED", events: [verified("m-0")], state: "ready" },
  { exit: "audit failure", when: "at the second", arrange: onKey(endTrail, 2), ends: "AUDIT_UNAVAILABLE", events: [verified("m-0")], state: "stopped" },
  { exit: "key unavailable", when: "at the second", arrange: onKey(endKey, 2), ends: "KEY_UNAVAILABLE", events: [verified("m-0")], state: "ready" },
  { exit: "tampering", when: "a bit of the second flipped", arrange: damageSecond, ...refused("m-1", "digest"), events: [verified("m-0"), ...refused("m-1", "digest").events] },
];

const executing: readonly Operation[] = [
  {
    ...{ method: "Residency.execute", of: "a shard", prepare: prepareShard, act: execute },
    never: ["out of memory", "failed wipe"],
    rows: [...executed(["s"]), released, ...verification("s")],
  },
  {
    ...{ method: "Residency.execute", of: "several", prepare: prepareSet, act: execute },
    never: ["out of memory", "failed wipe"],
    rows: [...executed(["m-0", "m-1"]), ...interrupted, released, ...verification("m-0")],
  },
];

const stoppedAtSigning: Row = { exit: "stop meanwhile", when: "while the device works", arrange: onKey(stopElsewhere), ends: "STOPPED", events: [verified("s")], state: "stopped" };

async function endedAttestationKey() {
  const attestationKey = generateAttestationKey();
  await attestationKey.close();
  return attestationKey;
}

const attesting: Operation = {
  ...{ method: "Residency.attest", of: "a shard", prepare: prepareShard },
  act: async ({ residency, target, options, signal }) => {
    const envelope = await residency.attest(target as ExecuteTarget, { nonce: new Uint8Array(16), signal, ...options });
    return Object.keys(JSON.parse(envelope) as object).join(" ");
  },
  never: ["out of memory", "fn throws", "failed wipe"],
  rows: [
    { exit: "success", ends: "payload payloadType signatures", events: [verified("s")], state: "ready" },
    { exit: "caller error", when: "the nonce is short", arrange: given({ options: { nonce: new Uint8Array(15) } }), ends: "INVALID_INPUT", events: [], state: "ready" },
    { exit: "key unavailable", when: "at the signature", opening: { attestationKey: await endedAttestationKey() }, ends: "KEY_UNAVAILABLE", events: [verified("s")], state: "ready" },
    ...[stoppedAtSigning, released, ...verification("s")],
  ],
};

/** A key signs by now that is out of reach. */
async function rotateAndEnd({ residency }: Scene): Promise<void> {
  const next = await generate();
  await residency.rotateSealKey(next);
  await next.close();
}

const resealing: Operation = {
  ...{ method: "Residency.reseal", of: "a shard", prepare: prepareShard },
  act: ({ residency, target, options, signal }) => residency.reseal(target as SealedShard, { signal, ...options }),
  never: ["out of memory", "fn throws", "failed wipe"],
  rows: [
    { exit: "success", ends: undefined, events: [verified("s"), "info shard.resealed s"], state: "ready" },
    { exit: "audit failure", when: "at the new seal", arrange: onKey(endTrail, 2), ends: "AUDIT_UNAVAILABLE", events: [verified("s")], state: "stopped" },
    { exit: "key unavailable", when: "at the new seal", arrange: rotateAndEnd, ends: "KEY_UNAVAILABLE", events: [verified("s")], state: "ready" },
    ...[stoppedAtSigning, released, ...verification("s")],
  ],
};

/** The operations that verify from device memory. */
export const verifications: readonly Operation[] = [...verifying, ...executing, attesting, resealing];
