// The faults that the grid tries on each driver entry point.
import { readFileSync } from "node:fs";
import { failCall, faultCopy, flipBit, simulatorStats, skipKernel } from "../../packages/vram-simulator/dist/control.js";

const list = readFileSync(new URL("../../native/driver/entry_points.inc", import.meta.url), "utf8");
export const entryPoints = [...list.matchAll(/^X\((\w+),/gm)].map(([, name]) => name);

const INVALID_VALUE = 1;
const OUT_OF_MEMORY = 2;
const LAUNCH_FAILED = 719; // ends the context

const COPIES = { cuMemcpyHtoDAsync_v2: "toDevice", cuMemcpyDtoHAsync_v2: "toHost" };

/** A bit of the first shard, whose memory came after the workspace's. */
function shardBit() {
  const [bufferId] = simulatorStats().allocations.map((each) => each.bufferId).sort((a, b) => Number(BigInt(a) - BigInt(b))).slice(1);
  return { bufferId, byteOffset: 4097, bit: 3 };
}

/**
 * The faults for an entry point that an operation calls `calls` times where nothing fails: `{ entryPoint, name, effect, when, after, inject }`.
 * `effect`: `fails` answers an error and does nothing, `no room` is that of memory, `loses` also ends the context, `lies`
 * answers success; before one that `flips` a bit of the first shard's memory flips. `when`: the first of the calls, the last,
 * or all. `after`: the calls before the fault.
 */
export function faultsOn(entryPoint, calls, { holdsShards = false } = {}) {
  const occasions = { once: {}, ...(calls > 1 ? { late: { after: calls - 1 } } : {}), always: { sticky: true } };
  const faults = [];
  const add = (effect, word, inject, whens = Object.keys(occasions)) => {
    for (const [when, occasion] of Object.entries(occasions).filter(([each]) => whens.includes(each))) {
      const name = word === "" ? when : `${word} ${when}`;
      faults.push({ entryPoint, name, effect, when, after: occasion.after ?? 0, inject: () => inject(occasion) });
    }
  };
  const failWith = (code) => (occasion) => failCall({ entryPoint, code, ...occasion });
  add("fails", "", failWith(INVALID_VALUE));
  add("loses", "sticky", failWith(LAUNCH_FAILED));
  if (entryPoint === "cuMemCreate") add("no room", "no room", failWith(OUT_OF_MEMORY));
  const direction = COPIES[entryPoint];
  if (direction !== undefined) {
    for (const [word, mode] of Object.entries({ dropped: "drop", cut: "short", delayed: "late" })) {
      add("lies", word, (occasion) => faultCopy({ direction, mode, ...occasion }));
    }
  }
  if (entryPoint === "cuLaunchKernel") add("lies", "skipped", skipKernel);
  if (holdsShards) add("flips", "flipped", ({ after = 0 }) => flipBit(shardBit(), { entryPoint, after }), ["once", "late"]);
  return faults;
}
