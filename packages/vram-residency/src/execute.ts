import { AsyncLocalStorage } from "node:async_hooks";
import { invalidInput, toVramError } from "./errors.js";
import type { VramError } from "./errors.js";
import { holdVerified } from "./hold-verified.js";
import type { Lease } from "./lease.js";
import { openLease } from "./lease.js";
import type { ParsedExecuteOptions } from "./options/call-options.js";
import type { LiveShard } from "./registry.js";
import { verifyRecently, verifyShard } from "./verify.js";
import type { VerifyTarget } from "./verify.js";
import type { Worker } from "./worker.js";

/** The shards that the current asynchronous context executes on. */
const held = new AsyncLocalStorage<ReadonlySet<LiveShard>>();

function heldHere(): ReadonlySet<LiveShard> {
  return held.getStore() ?? new Set();
}

/** @throws VramError `INVALID_INPUT` if called from inside an execution that holds one of the shards. */
export function assertNotHeldHere(shards: readonly LiveShard[]): void {
  const mine = heldHere();
  if (shards.some((shard) => mine.has(shard))) {
    throw invalidInput("close", "not be called by the fn of an execute that holds the shard");
  }
}

/**
 * Verifies every shard whole and holds them; the answer runs `fn` and then lets go. Errors of this step mean that `fn` was
 * never called; errors of the answer are `fn`'s own, or where `fn` returned `DEVICE_LOST` if the device did not survive it, and
 * those of a verification that was asked for after it.
 */
export async function prepareExecution<T>(
  worker: Worker,
  targets: readonly VerifyTarget[],
  fn: (lease: Lease) => T | PromiseLike<T>,
  { signal, verifyAfter }: ParsedExecuteOptions,
): Promise<() => Promise<T>> {
  const verify = (shard: LiveShard) => verifyRecently(worker, shard, signal);
  const { shards, unpin } = await holdVerified(worker, targets, { verify, signal });
  return async () => {
    const ended = worker.executing.take();
    const opened = openLease(shards);
    const lost = async (): Promise<VramError | undefined> => {
      opened.end();
      ended();
      return deviceLoss(worker, shards);
    };
    let result: T;
    try {
      result = await held.run(new Set([...heldHere(), ...shards]), async () => fn(opened.lease));
    } catch (error) {
      await lost();
      unpin();
      throw error;
    }
    const loss = await lost();
    // Begun before the shards can go, and without the leases that a repair would wait for.
    const after = verifyAfter && loss === undefined ? Promise.all(shards.map((shard) => verifyShard(shard, signal))) : undefined;
    unpin();
    if (loss !== undefined) throw loss;
    await after;
    return result;
  };
}

/** Native code may have lost a device, by a store into the weights for one: then the worker stops. */
async function deviceLoss(worker: Worker, shards: readonly LiveShard[]): Promise<VramError | undefined> {
  try {
    for (const { device } of new Set(shards.map(({ host }) => host))) await device.memory();
    return undefined;
  } catch (error) {
    const failure = toVramError(error);
    return failure.code === "DEVICE_LOST" ? worker.stop(failure) : undefined;
  }
}
