// What may come of a fault: it follows from what the failing call is for, and from the outcome table.
import { operations } from "./operations.mjs";

/** How an operation can end, apart from what becomes of memory. `events` are the ending's own; `stops` ends the worker. */
const ENDS = {
  "goes through": { code: null, kind: null },
  "no driver": { code: "DRIVER_UNAVAILABLE", kind: "fatal" },
  "no room": { code: "INSUFFICIENT_VRAM", kind: "retriable", events: ["vram.allocation.failed"] },
  "not allocated": { code: "CUDA_ALLOCATION_FAILED", kind: "retriable", events: ["vram.allocation.failed"] },
  "driver error": { code: "CUDA_FAILED", kind: "fatal", events: ["vram.allocation.failed"] },
  "bytes differ": { code: "INTEGRITY_VIOLATION", kind: "fatal", events: ["vram.seal.verification_failed"] },
  "rule violated": { code: "POLICY_VIOLATION", kind: "fatal", events: ["vram.policy.violation"], stops: true },
  unverified: { code: "SEAL_VERIFICATION_FAILED", kind: "fatal", events: ["vram.seal.verification_failed"], stops: true },
  "device lost": { code: "DEVICE_LOST", kind: "fatal", stops: true },
};

/** What becomes of memory that is given up, and why the worker stops then. */
const MEMORY = {
  wiped: { event: "wiped", reasons: [] },
  "not wiped": { event: "not wiped", reasons: ["CUDA_FAILED", "INTEGRITY_VIOLATION"] },
  "not freed": { event: "wiped", reasons: ["CUDA_FAILED"] },
  lost: { event: "lost", reasons: ["DEVICE_LOST"] },
};

const DIGEST = ["cuMemsetD32Async", "cuMemsetD8Async", "cuMemcpyDtoHAsync_v2", "cuLaunchKernel", "cuStreamSynchronize"];
const WIPE = ["cuMemSetAccess", ...DIGEST];
const ALLOCATE = ["cuMemCreate", "cuMemAddressReserve", "cuMemMap", "cuMemSetAccess", "cuMemRelease"];
const PLACE = ["cuPointerGetAttribute", "cuMemGetAccess", "cuDeviceGetCount"];

/**
 * Calls of an operation that serve one purpose. `end`: how it ends where one fails. `memory`: what becomes of memory that is
 * being given up; absent where none is. `holds`: which shards have memory: those "before" the one in hand, "with" it, or all.
 */
const phase = (calls, end, more = {}) => ({ calls, end, holds: "all", ...more });

const naming = phase(["cuGetErrorName"], "goes through", { isHarmless: true });
const releasing = (end) => [
  phase(WIPE, end, { memory: "not wiped" }),
  phase(["cuMemUnmap"], end, { memory: "not freed" }),
  phase(["cuMemAddressFree"], end, { memory: "wiped" }),
];
const sealing = [
  naming,
  phase(["cuMemGetInfo_v2"], "driver error", { holds: "before" }),
  phase(ALLOCATE, "not allocated", { holds: "before" }),
  phase(["cuPointerGetAttribute"], "goes through", { holds: "with" }), // the id of new memory, for diagnostics
  phase(["cuMemcpyHtoDAsync_v2", "cuMemsetD8Async", "cuStreamSynchronize"], "driver error"),
  phase(["cuMemSetAccess"], "driver error"),
  phase(PLACE, "rule violated"),
  phase(DIGEST, "driver error"),
];
const sealingPinned = [
  // The memory is not the worker's before its staging is page-locked.
  ...sealing.map((each) => (each.calls.length === 1 && each.calls[0] === "cuPointerGetAttribute" ? { ...each, holds: "before" } : each)),
  phase(["cuMemHostRegister_v2"], "driver error", { holds: "before" }),
  phase(["cuMemHostUnregister"], "driver error"),
];
const verifying = [naming, phase(PLACE, "unverified"), phase(DIGEST, "unverified")];
const executing = [...verifying, phase(["cuMemGetInfo_v2"], "goes through")]; // the device is asked whether it survived `fn`

const PHASES = {
  open: [
    phase(["cuInit", "cuDriverGetVersion"], "no driver"),
    phase(["cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetName", "cuDeviceGetUuid_v2", "cuDeviceTotalMem_v2"], "driver error"),
    phase(["cuDeviceGetAttribute"], "rule violated", { isPartlyHarmless: true }), // some are of the other device
    phase(["cuDevicePrimaryCtxRetain", "cuCtxSetCurrent", "cuStreamCreate"], "driver error"),
    phase(["cuModuleLoadDataEx", "cuModuleGetFunction", "cuMemGetAllocationGranularity"], "driver error"),
    phase(ALLOCATE, "not allocated"),
    phase(["cuPointerGetAttribute"], "goes through"),
    phase(["cuMemcpyHtoDAsync_v2", ...DIGEST], "driver error"),
  ],
  "seal a file": sealing,
  "seal bytes": sealing,
  "seal with page-locked staging": sealingPinned,
  "seal a set": sealing,
  "undo a seal": [...sealing, ...releasing("bytes differ")],
  verify: verifying,
  execute: executing,
  "execute a set": executing,
  release: releasing("goes through"),
  close: [
    ...releasing("goes through"),
    phase(["cuMemsetD8Async", "cuStreamSynchronize", "cuMemUnmap", "cuMemAddressFree"], "goes through", { isHarmless: true }), // the workspace
    phase(["cuModuleUnload", "cuStreamDestroy_v2", "cuDevicePrimaryCtxRelease_v2"], "goes through", { isHarmless: true }),
  ],
};

/** The phase that a fault meets: the first or the last that makes the call; of errors that last, the first that is spoiled. */
function phaseOf(operation, { entryPoint, effect, when }) {
  const met = PHASES[operation].filter(({ calls }) => calls.includes(entryPoint));
  if (met.length === 0) throw new Error(`nothing is known of ${entryPoint} in ${operation}`);
  if (when === "late") return met.at(-1);
  return (when === "always" && effect !== "loses" ? met.find(({ end, memory }) => end !== "goes through" || memory !== undefined) : undefined) ?? met[0];
}

/** How the operation may end, and what may become of memory that it gives up. */
function alternatives(operation, fault, met) {
  const { effect, when, entryPoint } = fault;
  const usual = operation === "undo a seal" ? "bytes differ" : "goes through";
  const each = (ends, memories) => ends.flatMap((end) => memories.map((memory) => ({ end, memory })));
  if (effect === "lies") {
    const noticed = operations[operation].verifies > 0 ? ["unverified"] : operations[operation].seals > 0 && operation !== "undo a seal" ? ["driver error", "bytes differ"] : ["driver error"];
    const isGivenUp = met.memory !== undefined;
    const ends = isGivenUp && operation !== "undo a seal" ? [usual] : [usual, ...noticed];
    return each(ends, isGivenUp || when === "always" || operation === "undo a seal" ? ["wiped", "not wiped"] : ["wiped"]);
  }
  if (effect === "flips") {
    // What comes of it depends on whether the call is before or behind the bytes' reading; a wipe may be behind it, too.
    if (met.memory !== undefined || operation === "close") return each([usual], ["wiped", "not wiped"]);
    const isRead = when === "once" && [...PLACE, "cuLaunchKernel"].includes(entryPoint);
    return each(isRead ? ["unverified"] : [usual, "unverified"], ["wiped"]);
  }
  if (effect === "no room") return each(["no room"], ["wiped"]);
  const harmless = met.isPartlyHarmless === true && when !== "always" ? each([usual], ["wiped"]) : [];
  if (effect === "loses") {
    if (met.isHarmless === true) return each([usual], ["wiped"]);
    const isFinal = met.memory !== undefined || met.end === "no driver" || met.end === "unverified";
    return [...harmless, ...each([isFinal ? met.end : "device lost"], ["lost"])];
  }
  const end = met.end === "goes through" ? usual : met.end;
  const memory = when === "always" && WIPE.includes(entryPoint) ? "not wiped" : (met.memory ?? "wiped");
  return [...harmless, ...each([end], [memory])];
}

/** How many shards have memory that the operation gives up where it ends like this. */
function countGivenUp(operation, end, { when }, met) {
  const { seals = 0, shards = 0 } = operations[operation];
  if (operation === "release" || operation === "close") return shards;
  if (end === "goes through" || seals === 0) return 0;
  const inHand = when === "late" ? seals - 1 : 0;
  return { before: inHand, with: inHand + 1, all: seals }[met.holds];
}

function usualEvents(operation) {
  if (operation === "open") return ["vram.worker.started"];
  const { seals = 0, verifies = 0 } = operations[operation];
  return [...Array(verifies).fill("vram.shard.verified"), ...Array(seals).fill("vram.shard.sealed")];
}

/** The whole observation that an alternative foresees. */
function foresee(operation, fault, met, { end, memory }) {
  const { code, kind, events: own = [], stops = false } = ENDS[end];
  const isThrough = end === "goes through";
  const givenUp = countGivenUp(operation, end, fault, met);
  const kept = memory === "wiped" ? 0 : givenUp;
  const isExecuted = PHASES[operation] === executing && (isThrough || end === "device lost");
  const { seals = 0, shards = 0, verifies = 0 } = operations[operation];
  const isOpen = operation !== "open" || isThrough;
  const live = operation === "release" || operation === "close" ? 0 : isThrough ? shards + seals : shards;

  const verifiedFirst = fault.when === "late" ? Math.max(verifies - 1, 0) : 0;
  const events = isThrough || isExecuted ? usualEvents(operation) : [...Array(verifiedFirst).fill("vram.shard.verified"), ...own];
  if (operation === "open" && end !== "rule violated" && !isThrough) events.length = 0;
  let isStopped = operation === "open" || operation === "close";
  const stop = () => {
    if (!isStopped) events.push("vram.worker.stopped");
    isStopped = true;
  };
  if (stops) stop();
  for (let k = 0; k < givenUp; k += 1) {
    events.push(`vram.shard.deallocated (${MEMORY[memory].event})`);
    if (kept > 0) stop();
  }
  if (operation === "close") events.push("vram.worker.stopped");

  const reasons = stops ? [code] : kept > 0 ? MEMORY[memory].reasons : [null];
  const state = !isOpen ? "none" : operation === "close" ? "closed" : reasons[0] === null ? "ready" : "stopped";
  const count = isOpen && operation !== "close" ? 1 : 0;
  const keepsLock = fault.entryPoint === "cuMemHostUnregister" && fault.effect === "fails" && fault.when === "always";
  const addresses = fault.entryPoint === "cuMemAddressFree" && givenUp > 0 && fault.effect === "fails" ? 1 : 0;
  return {
    ...{ code, kind, state, events, usedShards: live + kept, executed: isExecuted },
    reasons: operation === "close" ? ["STOPPED"] : isOpen ? reasons : [null],
    isLost: memory === "lost",
    held: { allocations: count + live + kept, reservations: count + live + kept + addresses, contexts: count, streams: count, modules: count, "page locks": keepsLock ? 1 : 0 },
  };
}

/** What may stay for good because the call that gives it back keeps failing. */
function mayStay(entryPoint) {
  const kinds = {
    cuMemUnmap: ["allocations", "reservations"],
    cuMemAddressFree: ["reservations"],
    cuModuleUnload: ["modules"],
    cuStreamDestroy_v2: ["streams"],
    cuDevicePrimaryCtxRelease_v2: ["contexts"],
    cuMemHostUnregister: ["page locks"],
  };
  return WIPE.includes(entryPoint) ? ["allocations", "reservations"] : (kinds[entryPoint] ?? []);
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function differences(seen, { reasons, isLost, held, ...exact }, operation) {
  const wrong = [];
  const compare = (key, isRight, expected) => {
    if (!isRight) wrong.push(`${key} is ${JSON.stringify(seen[key])}, not ${JSON.stringify(expected)}`);
  };
  for (const [key, value] of Object.entries(exact)) compare(key, same(seen[key], value), value);
  compare("reason", reasons.includes(seen.reason), reasons);
  compare("held", isLost || operation === "close" || same(seen.held, held), held);
  return wrong;
}

/** What is wrong whatever the outcome: a fault that nothing met, and what was left when all was closed. */
function alwaysWrong(operation, fault, seen) {
  const wrong = [];
  const isLost = fault.effect === "loses";
  const lasts = fault.when === "always" || operation === "close";
  const staying = lasts ? mayStay(fault.entryPoint) : [];
  for (const [kind, count] of Object.entries(seen.left)) {
    const isExcused = staying.includes(kind) || (isLost && kind !== "contexts");
    if (count > 0 && !isExcused) wrong.push(`${count} ${kind} left`);
  }
  if (!seen.isMet) wrong.push("the fault was not met");
  if (seen.closed !== null) wrong.push(`close() rejected with ${seen.closed}`);
  // A bit that flips behind the wipe's check is one that nobody wrote.
  if (seen.isDirty && fault.effect !== "flips") wrong.push("memory went back with something in it");
  const once = (id) => seen.deallocated.filter((each) => each === id).length === 1;
  if (!seen.sealed.every(once)) wrong.push("a sealed shard was not deallocated once");
  return wrong;
}

/** What is wrong with a cell: nothing, or what differs from the nearest permitted outcome. */
export function judge(operation, fault, seen) {
  const met = phaseOf(operation, fault);
  const found = alternatives(operation, fault, met).map((each) => differences(seen, foresee(operation, fault, met, each), operation));
  const [nearest] = found.sort((a, b) => a.length - b.length);
  return [...nearest, ...alwaysWrong(operation, fault, seen)];
}
