import { json } from "node:stream/consumers";
import { inspect } from "node:util";
import { deserialize, getHeapSnapshot, serialize } from "node:v8";
import { failCall, resetSimulator, simulatorStats } from "vram-simulator/control";
import { addressAppearsIn, leakAddress } from "vram-simulator/tamper";
import { expect, it } from "vitest";
import type { Lease, Residency, SealedShard } from "../../src/index.js";
import { itWithFaults, openWorkplace, patternBytes, refusal } from "../fixture.js";

const BYTES = 5000;
const ALL = { offset: 0, byteLength: BYTES };
/** Hexadecimal or decimal text that is long enough to be an address. */
const ADDRESS = /0x[0-9a-f]{6,}|(?<![0-9a-f-])[0-9]{15,20}(?![0-9a-f])/i;

async function withLease(look: (lease: Lease, place: { residency: Residency; shard: SealedShard }) => void | Promise<void>): Promise<void> {
  const { residency } = await openWorkplace();
  const shard = await residency.seal(patternBytes(BYTES), { shardId: "s" });
  await residency.execute(shard, (lease) => look(lease, { residency, shard }));
}

/** Every value that an object shows through its own and inherited keys, its iterators and its `toJSON`. */
function valuesOf(object: object): unknown[] {
  const values: unknown[] = [];
  for (let level: object | null = object; level !== null && level !== Object.prototype; level = Reflect.getPrototypeOf(level)) {
    for (const key of Reflect.ownKeys(level)) values.push(key, Reflect.get(level, key, object));
  }
  if (Symbol.iterator in object) values.push(...(object as Iterable<unknown>));
  if (isRecord(object)) values.push(object.toJSON());
  return values;
}

function isRecord(object: object): object is { toJSON(): unknown } {
  return "toJSON" in object && typeof object.toJSON === "function";
}

it("PL-1 MS-001 test_vram_ptr_not_exposed no property, symbol, iterator or toJSON of any object carries an address", async () => {
  await withLease(async (lease, { residency, shard }) => {
    const view = lease.view(ALL);
    expect(Reflect.ownKeys(view)).toEqual([]);
    const report = await residency.verify(shard);
    const objects = [residency, shard, lease, view, report, lease.tensors, ...lease.shards, ...lease.tensors.values(), residency.capacity(), shard.seal];
    for (const value of objects.flatMap(valuesOf)) {
      expect(typeof value).not.toBe("bigint");
      expect(addressAppearsIn(view, inspect(value))).toBe(false);
    }
    expect(addressAppearsIn(view, leakAddress(view))).toBe(true);
  });
});

it("PL-2 MS-001 test_vram_ptr_not_in_json JSON, structuredClone and v8.serialize carry none", async () => {
  await withLease((lease, { residency, shard }) => {
    const view = lease.view(ALL);
    expect(serialize(view)).toEqual(serialize({}));
    for (const object of [shard, shard.seal, view, residency.capacity(), [...lease.tensors.values()]]) {
      for (const text of [JSON.stringify(object), serialize(object).toString("latin1"), inspect(structuredClone(object)), inspect(deserialize(serialize(object)))]) {
        expect(addressAppearsIn(view, text)).toBe(false);
        expect(text).not.toMatch(ADDRESS);
      }
    }
  });
});

it("PL-3 MS-001 test_vram_ptr_not_in_debug neither inspection without limits nor a heap snapshot's string is one", async () => {
  await withLease(async (lease, { residency, shard }) => {
    const view = lease.view(ALL);
    const { strings } = (await json(getHeapSnapshot())) as { strings: string[] };
    const shown = inspect({ view, lease, shard, residency }, { showHidden: true, depth: Infinity, getters: true, showProxy: true });
    expect([shown, strings.join("\n")].map((text) => addressAppearsIn(view, text))).toEqual([false, false]);
    expect(shown).not.toMatch(ADDRESS);
  });
});

itWithFaults("PL-4 WORKER-4152 test_errors_dont_expose_pointers no error of any driver call carries one", async () => {
  const codes = new Set<string>();
  for (const entryPoint of await calledEntryPoints()) {
    for (const code of [1, 2, 719]) {
      const { residency } = await openWorkplace();
      failCall({ entryPoint, code, sticky: true });
      const failures: unknown[] = [];
      const sealed = await residency.seal(patternBytes(BYTES)).catch((error: unknown) => failures.push(error));
      if (typeof sealed === "object") await residency.verify(sealed).catch((error: unknown) => failures.push(error));
      await residency.close();
      for (const failure of [...failures, residency.signal.reason]) {
        const text = inspect(failure, { showHidden: true, depth: Infinity }).replaceAll(/file:.*$/gm, "");
        expect(text).not.toMatch(ADDRESS);
        if (failure instanceof Error && "code" in failure) codes.add(String(failure.code));
      }
    }
  }
  expect(codes.size).toBeGreaterThan(4);
});

/** The driver calls of sealing and verifying a shard. */
async function calledEntryPoints(): Promise<string[]> {
  const { residency } = await openWorkplace();
  const before = simulatorStats().calls;
  await residency.verify(await residency.seal(patternBytes(BYTES)));
  const { calls } = simulatorStats();
  await residency.close();
  resetSimulator();
  const called = Object.keys(calls).filter((name) => (calls[name] ?? 0) > (before[name] ?? 0));
  expect(called.length).toBeGreaterThan(10);
  return called;
}

it("PL-4 WORKER-4152 an argument's text is not echoed where it could be an address", async () => {
  const { residency } = await openWorkplace();
  for (const shardId of ["0x7f0123456789", "140000000000000"]) {
    const error = await refusal(residency.seal(patternBytes(1), { shardId: `${shardId}\0` }));
    expect(inspect(error, { depth: Infinity })).not.toContain(shardId);
  }
});
