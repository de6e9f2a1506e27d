import { faultCopy, skipKernel } from "vram-simulator/control";
import type { ModelSource, SetSource } from "../../src/index.js";
import { backend } from "../fixture.js";
import { ERROR, LOST, NO_ROOM, abort, both, endKey, endTrail, fails, given, misplaced, onKey, onLoad, stopElsewhere, stopped, throwUnforeseen } from "./row.js";
import type { Operation, Row } from "./row.js";
import type { Scene } from "./scene.js";

const sealed = (shardId: string): string => `info shard.sealed ${shardId}`;
const undone = (shardId: string): string => `info shard.deallocated ${shardId} undone wiped`;
const lost = (shardId: string): string => `critical shard.deallocated ${shardId} undone not wiped lost`;
const unwiped = (shardId: string): string => `critical shard.deallocated ${shardId} undone not wiped`;
const notAllocated = (shardId: string, code: string): string => `warning allocation.failed ${shardId} ${code}`;
const violated = (shardId: string | null, rule: string): readonly string[] => [`critical policy.violation seal ${shardId} ${rule}`, stopped("POLICY_VIOLATION")];

/** A copy that answers success and moves nothing. */
const dropCopy = (): void => {
  faultCopy({ direction: "toDevice", mode: "drop" });
};
const expectDigest = { policy: { ...backend.policy, requireExpected: true } };
const noRoom = { limits: { reserveBytes: 2 ** 31 - 2 ** 21 } };
const pinned = given({ options: { staging: "pinned" } });
const endTrailAndAbort = both(endTrail, abort);

/** How every seal may end; it is of these shards. */
const sealing = (ids: readonly [string, ...string[]]): readonly Row[] => {
  const [first] = ids;
  const allUndone = ids.map(undone);
  return [
    { exit: "success", ends: ids.join(" "), events: ids.map(sealed), state: "ready" },
    { exit: "caller error", when: "an option is bad", arrange: given({ options: { modelRef: "" } }), ends: "INVALID_INPUT", events: [], state: "ready" },
    { exit: "caller error", when: "the source is nothing", arrange: given({ source: null, sources: null }), ends: "INVALID_INPUT", events: [], state: "ready" },
    { exit: "caller error", when: "the source throws", arrange: onLoad(throwUnforeseen), ends: "INVALID_INPUT", events: allUndone, state: "ready" },
    { exit: "policy refusal", when: "of the staging", arrange: pinned, ends: "POLICY_VIOLATION", events: violated(null, "pageable-staging"), state: "stopped" },
    { exit: "policy refusal", when: "of a missing digest", opening: expectDigest, ends: "POLICY_VIOLATION", events: violated(null, "expected-digest"), state: "stopped" },
    { exit: "policy refusal", when: "of the placement", arrange: misplaced, ends: "POLICY_VIOLATION", events: [...violated(first, "not-managed"), ...allUndone], state: "stopped" },
    { exit: "driver failure", when: "at the mapping", arrange: fails("cuMemMap", ERROR), ends: "CUDA_ALLOCATION_FAILED", events: [notAllocated(first, "CUDA_ALLOCATION_FAILED")], state: "ready" },
    { exit: "driver failure", when: "at the load", arrange: fails("cuMemcpyHtoDAsync_v2", ERROR), ends: "CUDA_FAILED", events: [notAllocated(first, "CUDA_FAILED"), ...allUndone], state: "ready" },
    { exit: "driver failure", when: "the kernel does nothing", arrange: () => { skipKernel(); }, ends: "CUDA_FAILED", events: [notAllocated(first, "CUDA_FAILED"), ...allUndone], state: "ready" },
    { exit: "device lost", when: "at the allocation", arrange: fails("cuMemCreate", LOST), ends: "DEVICE_LOST", events: [stopped("DEVICE_LOST")], state: "stopped" },
    { exit: "device lost", when: "at the load", arrange: fails("cuMemcpyHtoDAsync_v2", LOST), ends: "DEVICE_LOST", events: [stopped("DEVICE_LOST"), ...ids.map(lost)], state: "stopped" },
    { exit: "out of memory", when: "of the driver", arrange: fails("cuMemCreate", NO_ROOM), ends: "INSUFFICIENT_VRAM", events: [notAllocated(first, "INSUFFICIENT_VRAM")], state: "ready" },
    { exit: "out of memory", when: "within the limits", opening: noRoom, ends: "INSUFFICIENT_VRAM", events: [notAllocated(first, "INSUFFICIENT_VRAM")], state: "ready" },
    { exit: "abort", when: "before", arrange: abort, ends: "ABORTED", events: [], state: "ready" },
    { exit: "abort", when: "while loading", arrange: onLoad(abort), ends: "ABORTED", events: allUndone, state: "ready" },
    { exit: "called while stopped", when: "another operation found damage", arrange: stopElsewhere, ends: "STOPPED", events: [], state: "stopped" },
    { exit: "stop meanwhile", when: "while loading", arrange: onLoad(stopElsewhere), ends: "STOPPED", events: allUndone, state: "stopped" },
    { exit: "stop meanwhile", when: "at the MAC", arrange: onKey(stopElsewhere), ends: "STOPPED", events: allUndone, state: "stopped" },
    { exit: "audit failure", when: "at the success", arrange: onKey(endTrail), ends: "AUDIT_UNAVAILABLE", events: [], state: "stopped" },
    { exit: "audit failure", when: "where there is no room", arrange: both(endTrail, fails("cuMemCreate", NO_ROOM)), ends: "INSUFFICIENT_VRAM", cause: "AUDIT_UNAVAILABLE", events: [], state: "stopped" },
    { exit: "audit failure", when: "where the bytes differ", arrange: both(endTrail, dropCopy), ends: "INTEGRITY_VIOLATION", cause: "AUDIT_UNAVAILABLE", events: [], state: "stopped" },
    { exit: "audit failure", when: "at a policy refusal", arrange: both(endTrail, misplaced), ends: "POLICY_VIOLATION", cause: "AUDIT_UNAVAILABLE", events: [], state: "stopped" },
    { exit: "audit failure", when: "where the device is lost", arrange: both(endTrail, fails("cuMemCreate", LOST)), ends: "DEVICE_LOST", cause: "AUDIT_UNAVAILABLE", events: [], state: "stopped" },
    { exit: "audit failure", when: "after an abort", arrange: onLoad(endTrailAndAbort), ends: "ABORTED", events: [], state: "stopped" },
    { exit: "key unavailable", when: "at the MAC", arrange: endKey, ends: "KEY_UNAVAILABLE", events: allUndone, state: "ready" },
    { exit: "key unavailable", when: "for a reason that nobody foresaw", arrange: onKey(throwUnforeseen), ends: "STOPPED", events: [stopped("STOPPED"), ...allUndone], state: "stopped" },
    { exit: "tampering", when: "a copy arrives nowhere", arrange: dropCopy, ends: "INTEGRITY_VIOLATION", events: [`critical seal.verification_failed ${first} load`, ...allUndone], state: "ready" },
    {
      ...{ exit: "failed wipe", when: "behind a load that failed", arrange: both(fails("cuMemsetD8Async", ERROR, true), fails("cuMemcpyHtoDAsync_v2", ERROR)) },
      ...{ ends: "CUDA_FAILED", events: [notAllocated(first, "CUDA_FAILED"), unwiped(first), stopped("CUDA_FAILED"), ...ids.slice(1).map(unwiped)], state: "stopped" },
    },
  ];
};

const open = (scene: Scene): Promise<void> => scene.open();

/** What only a seal of one file can be: an expected digest is given without a name. */
const expected: readonly Row[] = [
  { exit: "caller error", when: "the shard's id is taken", arrange: (scene) => scene.seal("s"), ends: "INVALID_INPUT", events: [], state: "ready" },
  {
    ...{ exit: "tampering", when: "the digest is not the expected one", arrange: given({ options: { expect: { fsverity: "0".repeat(64) } } }) },
    ...{ ends: "INTEGRITY_VIOLATION", events: ["critical seal.verification_failed s expect", undone("s")], state: "ready" },
  },
];

/** The first of two shards is signed and in the trail; the second is not. */
const signedHalf: readonly Row[] = [
  { exit: "audit failure", when: "at the second", arrange: onKey(endTrail, 2), ends: "AUDIT_UNAVAILABLE", events: [sealed("m-0")], state: "stopped" },
  { exit: "key unavailable", when: "at the second", arrange: onKey(endKey, 2), ends: "KEY_UNAVAILABLE", events: [sealed("m-0"), undone("m-0"), undone("m-1")], state: "ready" },
  { exit: "stop meanwhile", when: "at the second MAC", arrange: onKey(stopElsewhere, 2), ends: "STOPPED", events: [sealed("m-0"), undone("m-0"), undone("m-1")], state: "stopped" },
];

/** The operations that load and seal. */
export const seals: readonly Operation[] = [
  {
    ...{ method: "Residency.seal", of: "a model", prepare: open, never: ["fn throws"] },
    act: async ({ residency, source, options, signal }) => (await residency.seal(source as ModelSource, { shardId: "s", signal, ...options })).shardId,
    rows: [...sealing(["s"]), ...expected],
  },
  {
    ...{ method: "Residency.sealSet", of: "two files", prepare: open, never: ["fn throws"] },
    act: async ({ residency, sources, options, signal }) => {
      const { shards } = await residency.sealSet(sources as SetSource, { setId: "m", signal, ...options });
      return shards.map(({ shardId }) => shardId).join(" ");
    },
    rows: [...sealing(["m-0", "m-1"]), ...signedHalf],
  },
];
