import { expect, it } from "vitest";
import { VramError } from "./errors.js";
import { ShardLifecycle } from "./shard-lifecycle.js";
import type { ShardState } from "./shard-lifecycle.js";

const STATES: readonly ShardState[] = ["sealed", "repairing", "releasing", "released"];
const WAYS: Readonly<Record<ShardState, readonly ShardState[]>> = {
  sealed: [],
  repairing: ["repairing"],
  releasing: ["releasing"],
  released: ["releasing", "released"],
};
const ALLOWED = ["sealed repairing", "sealed releasing", "repairing sealed", "repairing releasing", "releasing released"];

it.each(STATES.flatMap((from) => STATES.map((to) => [from, to] as const)))("from %s to %s", (from, to) => {
  const lifecycle = new ShardLifecycle();
  for (const state of WAYS[from]) lifecycle.move(state);
  if (ALLOWED.includes(`${from} ${to}`)) {
    lifecycle.move(to);
    expect(lifecycle.state).toBe(to);
    return;
  }
  try {
    lifecycle.move(to);
    expect.unreachable("the move was made");
  } catch (error) {
    expect(error instanceof VramError && [error.code, error.details]).toEqual(["NOT_SEALED", { state: from, to }]);
    expect(lifecycle.state).toBe(from);
  }
});
