import { Worker } from "node:worker_threads";
import { join } from "node:path";
import { openAuditLog } from "vram-audit";
import { fsverityDigest, generate } from "vram-seal";
import { simulator } from "vram-simulator";
import { resetSimulator } from "vram-simulator/control";
import { describe, expect, it } from "vitest";
import { openResidency } from "../../src/index.js";
import { backend, itWithFaults, openWorkplace, patternBytes, refusal, temporaryFolder } from "../fixture.js";
import { statementOf } from "../seal-bytes.js";

const bytes = patternBytes(5000);

/** Calls while every object inherits a property. Options are read before a call returns its promise. */
function polluted<T>(name: string, value: unknown, call: () => T): T {
  Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true, writable: true });
  try {
    return call();
  } finally {
    Reflect.deleteProperty(Object.prototype, name);
  }
}

/** The same until what the call promises is there. */
async function pollutedThroughout<T>(name: string, value: unknown, call: () => Promise<T>): Promise<T> {
  const result = polluted(name, value, call);
  Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
  try {
    return await result;
  } finally {
    Reflect.deleteProperty(Object.prototype, name);
  }
}

async function services() {
  return { sealKey: await generate(), audit: await openAuditLog({ dir: join(await temporaryFolder(), "audit") }), workerId: "w" };
}

describe("a polluted Object.prototype", () => {
  itWithFaults("names no driver", async () => {
    const given = await services();
    const error = await refusal(polluted("driver", simulator(), () => openResidency(given)));
    expect(error.code).toBe("DRIVER_UNAVAILABLE");
  });

  itWithFaults.each([
    ["policy", { allowBackends: ["simulator"] }],
    ["allowBackends", ["simulator", "custom", "cuda"]],
  ])("does not loosen the policy through %s", async (name, value) => {
    resetSimulator();
    const given = { ...(await services()), driver: simulator() };
    const error = await refusal(polluted(name, value, () => openResidency(given)));
    expect(error.code).toBe("POLICY_VIOLATION");
  });

  it("sets no limit", async () => {
    const given = { ...(await services()), ...backend };
    const residency = await polluted("maxModelBytes", 1, () => polluted("limits", { maxModelBytes: 1 }, () => openResidency(given)));
    await residency.seal(bytes);
    await residency.close();
  });

  it.each([
    ["expect", { sha256: "0".repeat(64) }],
    ["shardId", "forged"],
    ["modelRef", "forged"],
    ["format", "gguf"],
    ["signal", AbortSignal.abort()],
  ])("does not give a seal its %s", async (name, value) => {
    const { residency } = await openWorkplace();
    for (const call of [() => residency.seal(bytes), () => residency.seal(bytes, {})]) {
      const statement = statementOf((await polluted(name, value, call)).seal);
      expect(statement).toMatchObject({ expected: null, modelRef: null });
      expect(statement.shardId).toMatch(/^shard-[0-9a-f]{16}$/);
    }
  });

  it.each(["sha256", "identity", "file", "lfsPointer"])("adds no %s to what is expected, at the seal or after it", async (name) => {
    const { residency } = await openWorkplace();
    const fsverity = fsverityDigest(bytes);
    const shard = await polluted(name, "0".repeat(64), () => residency.seal(bytes, { expect: { fsverity } }));
    expect(statementOf(shard.seal).expected).toEqual({ fsverity });
    const text = await pollutedThroughout(name, "0".repeat(64), () => residency.attest(shard, { nonce: new Uint8Array(32).fill(1) }));
    expect(Buffer.from((JSON.parse(text) as { payload: string }).payload, "base64").toString()).not.toContain("0".repeat(64));
  });

  it("does not abort, widen a view, or give a set its id", async () => {
    const { residency } = await openWorkplace();
    const { setId, shards } = await polluted("setId", "forged", () => residency.sealSet([bytes]));
    expect(setId).toMatch(/^set-/);
    const [shard] = shards;
    if (shard === undefined) throw new Error("the set has one shard");
    await polluted("signal", AbortSignal.abort(), () => residency.verify(shard, {}));
    await residency.execute(shard, (lease) => {
      const view = polluted("minAlignment", 4096, () => lease.view({ offset: 0, byteLength: 10 }, {}));
      expect(view).toBeDefined();
      expect(() => polluted("byteLength", 10, () => lease.view({ offset: 0 } as never))).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    });
  });

  it("makes no seal of an object that is none", async () => {
    const { residency } = await openWorkplace();
    const { seal } = await residency.seal(bytes);
    const error = await refusal(polluted("mac", seal.mac, () => residency.verify({ statement: seal.statement } as never)));
    expect(error).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { reason: "shape" } });
  });
});

describe("options that run code", () => {
  it("are read once: what is checked is what is used", async () => {
    const { residency } = await openWorkplace();
    let reads = 0;
    const moving = {
      get shardId() {
        reads += 1;
        return reads === 1 ? "good" : "../../evil\n";
      },
    };
    const outcome = await residency.seal(bytes, moving).catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: "INVALID_INPUT" });
    else expect(outcome).toMatchObject({ shardId: "good" });
    expect(residency.state).toBe("ready");
  });

  const thrown = () => {
    throw new Error("from the trap");
  };
  it.each([
    ["a getter that throws", { get shardId(): string { return thrown(); } }],
    ["a proxy whose traps throw", new Proxy({}, { get: thrown, ownKeys: thrown, has: thrown, getOwnPropertyDescriptor: thrown, getPrototypeOf: thrown })],
    ["a revoked proxy", revoked()],
  ])("%s: the caller's error, and the worker goes on", async (_, options) => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(bytes);
    for (const call of [() => residency.seal(bytes, options), () => residency.sealSet([bytes], options as never), () => residency.verify(shard, options as never)]) {
      expect(await refusal(call())).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
    }
    expect(await refusal(openResidency(options as never))).toMatchObject({ code: "INVALID_CONFIG", kind: "caller" });
    expect(residency.state).toBe("ready");
  });

  it("and sources that do: a typed error, and nothing stays", async () => {
    const { residency } = await openWorkplace();
    const sources = [
      { get byteLength(): number { return thrown(); }, [Symbol.asyncIterator]: () => ({ next: thrown }) },
      { byteLength: 10, get [Symbol.asyncIterator](): never { return thrown(); } },
      { byteLength: 10, [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ get done(): boolean { return thrown(); }, value: bytes }) }) },
      new Proxy(bytes, {}),
      revoked(),
    ];
    for (const source of sources) {
      expect(await refusal(residency.seal(source as never))).toMatchObject({ kind: "caller" });
      expect(residency.capacity().usedBytes).toBe(0);
    }
    expect(residency.state).toBe("ready");
  });

  function revoked(): object {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }
});

describe("a buffer that changes under the seal", () => {
  async function outcomeOf(source: Uint8Array, change: () => unknown) {
    const { residency } = await openWorkplace();
    const sealing = residency.seal(source);
    await new Promise(setImmediate);
    change();
    const outcome = await sealing.catch((error: unknown) => error);
    expect(residency.state).toBe("ready");
    return outcome;
  }

  it("because it is shared with a thread that writes: refused", async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(8 << 20));
    const writer = new Worker("const { workerData } = require('node:worker_threads'); for (let n = 1; ; n += 1) workerData.fill(n, 7 << 20);", { eval: true, workerData: shared });
    await new Promise((resolve) => writer.once("online", resolve));
    const { residency } = await openWorkplace();
    expect(await refusal(residency.seal(shared))).toMatchObject({ code: "INTEGRITY_VIOLATION" });
    await writer.terminate();
    expect(residency.capacity().usedBytes).toBe(0);
  });

  it("because it is detached: refused", async () => {
    const source = new Uint8Array(8 << 20);
    expect(await outcomeOf(source, () => structuredClone(source.buffer, { transfer: [source.buffer] }))).toMatchObject({ name: "VramError" });
  });

  it.each([0, 4096, 16 << 20])("because it is resized to %d: refused, or sealed as it was", async (byteLength) => {
    const Resizable = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => ArrayBuffer & { resize(length: number): void };
    const buffer = new Resizable(8 << 20, { maxByteLength: 32 << 20 });
    const outcome = await outcomeOf(new Uint8Array(buffer), () => {
      buffer.resize(byteLength);
    });
    if (outcome instanceof Error) expect(outcome).toMatchObject({ name: "VramError", code: expect.stringMatching(/^(INTEGRITY_VIOLATION|INVALID_INPUT)$/) as string });
    else expect(outcome).toMatchObject({ digest: fsverityDigest(new Uint8Array(8 << 20)) });
  });
});
