// One cell of the grid: an operation meets a fault, and what came of it is written down.
import { simulatorStats } from "../../packages/vram-simulator/dist/control.js";
import { newWorkplace, operations } from "./operations.mjs";

const SHARD_BYTES = 2 ** 21;

/** How many of each the simulated driver holds. */
function held() {
  const { allocations, reservations, contexts, streams, modules, pageLockedBytes } = simulatorStats();
  return { allocations: allocations.length, reservations, contexts, streams, modules, "page locks": pageLockedBytes > 0 ? 1 : 0 };
}

/** An event in short: its type, and of memory that was given up how. */
function describe({ type, data }) {
  if (type !== "vram.shard.deallocated") return type;
  if (data.lost) return `${type} (lost)`;
  return `${type} (${data.wiped ? "wiped" : "not wiped"})`;
}

async function outcomeOf(act) {
  try {
    await act();
    return { code: null, kind: null };
  } catch (error) {
    if (error.name === "VramError") return { code: error.code, kind: error.kind };
    return { code: "untyped", kind: String(error.message) };
  }
}

/** How often each entry point was called since `before`. */
function callsSince(before) {
  return Object.fromEntries(Object.entries(simulatorStats().calls).map(([name, count]) => [name, count - (before[name] ?? 0)]));
}

/** How often each entry point is called by an operation where nothing fails. */
export async function callsOf(operation) {
  const { prepare, act } = operations[operation];
  const place = await newWorkplace();
  await prepare(place);
  const before = simulatorStats().calls;
  await outcomeOf(() => act(place));
  const calls = callsSince(before);
  await place.end();
  return calls;
}

/**
 * Answers what the operation came to, and what was left of it when all was closed. `usedShards` counts what `capacity()`
 * says is in use, in shards; `isMet` says that the call was made that the fault is for, `isDirty` that memory of a shard went
back to its device with something in it.
 */
export async function runCell(operation, fault) {
  const { prepare, act } = operations[operation];
  const place = await newWorkplace();
  await prepare(place);
  const workspace = simulatorStats().allocations.find(({ byteLength }) => byteLength > SHARD_BYTES);
  const seen = place.events.length;
  const { calls } = simulatorStats();
  fault.inject();
  const outcome = await outcomeOf(() => act(place));
  const { residency } = place;
  const observed = {
    ...outcome,
    isMet: callsSince(calls)[fault.entryPoint] > fault.after,
    state: residency?.state ?? "none",
    reason: residency?.signal.reason?.code ?? null,
    executed: place.executed,
    events: place.events.slice(seen).map(describe),
    usedShards: (residency?.capacity().usedBytes ?? 0) / SHARD_BYTES,
    held: held(),
  };
  const closed = await outcomeOf(() => place.end());
  return {
    ...observed,
    closed: closed.code,
    left: held(),
    isDirty: workspace !== undefined && simulatorStats().freed.some(({ bufferId, zeroed }) => !zeroed && bufferId !== workspace.bufferId),
    sealed: place.events.filter(({ type }) => type === "vram.shard.sealed").map(({ data }) => data.shardId),
    deallocated: place.events.filter(({ type }) => type === "vram.shard.deallocated").map(({ data }) => data.shardId),
  };
}
