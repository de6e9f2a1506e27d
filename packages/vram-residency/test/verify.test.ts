import { canonicalize, generate } from "vram-seal";
import { failCall, setPointerAttribute, skipKernel } from "vram-simulator/control";
import { describe, expect, it, vi } from "vitest";
import type { OpenResidencyOptions, SealedShard } from "../src/index.js";
import { backend, flipSealedBit, itWithFaults, openWorkplace, patternBytes, refusal, watchedKey } from "./fixture.js";
import { macOf, openWithKnownKey, statementOf } from "./seal-bytes.js";

const bytes = patternBytes(9000);
/** CU_POINTER_ATTRIBUTE_IS_MANAGED: memory that the driver may move to the host. */
const IS_MANAGED = 8;

/** A trail that is nowhere; `onAppend` sees each event's type. */
function trail(onAppend: (type: string) => void): OpenResidencyOptions["audit"] {
  const append = (event: { readonly type: string }) =>
    new Promise<void>((resolve) => {
      onAppend(event.type);
      resolve();
    });
  return { append, close: () => Promise.resolve() } as never;
}

describe("verify", () => {
  it.each([null, undefined, "s", 5])("refuses %s as the caller's mistake", async (target) => {
    const { residency } = await openWorkplace();
    const error = await refusal(residency.verify(target as never));
    expect(error).toMatchObject({ code: "INVALID_INPUT", message: "shard must be a sealed shard or a seal", details: { argument: "shard" } });
    expect(residency.state).toBe("ready");
  });

  it("refuses a shard of another residency", async () => {
    const other = await openWorkplace();
    const shard = await other.residency.seal(bytes);
    const { residency } = await openWorkplace();
    const error = await refusal(residency.verify(shard));
    expect(error).toMatchObject({ code: "INVALID_INPUT", message: "shard must be a shard of this residency", details: { argument: "shard" } });
  });

  it("says of a released shard what to do", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(bytes);
    await shard.close();
    expect(await refusal(residency.verify(shard))).toMatchObject({ code: "NOT_SEALED", message: "the shard was released; seal it again" });
  });

  it("reports how long it took", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(bytes);
    const startMs = performance.now();
    const { durationMs } = await residency.verify(shard);
    expect(durationMs).toBeGreaterThan(0);
    expect(durationMs).toBeLessThanOrEqual(performance.now() - startMs);
  });

  it("passes a seal that is younger than the policy's age", async () => {
    const { residency } = await openWorkplace({ policy: { ...backend.policy, maxSealAgeMs: 600_000 } });
    const shard = await residency.seal(bytes);
    expect(await residency.verify(shard)).toMatchObject({ shardId: shard.shardId });
  });

  itWithFaults("with a key that cannot sign says so and stops nothing, whatever the driver says meanwhile", async () => {
    const beforeMac = vi.fn();
    const { residency } = await openWorkplace({ sealKey: watchedKey(await generate(), beforeMac) });
    const shard = await residency.seal(bytes);
    beforeMac.mockImplementation(() => {
      throw Object.assign(new Error("no token"), { name: "SealError", code: "KEY_UNAVAILABLE", details: {} });
    });
    failCall({ entryPoint: "cuPointerGetAttribute", code: 1 });
    expect(await refusal(residency.verify(shard))).toMatchObject({ code: "KEY_UNAVAILABLE", kind: "retriable" });
    expect(residency.state).toBe("ready");
  });
});

describe("a refusal", () => {
  it("by the signature has the step's error as its cause", async () => {
    const { residency } = await openWorkplace();
    const { seal } = await residency.seal(bytes);
    const error = await refusal(residency.verify({ ...seal, mac: Buffer.alloc(32).toString("base64") }));
    expect(error).toMatchObject({ message: "seal verification failed: mac", cause: { details: { reason: "mac" } } });
  });

  it("says that the statement is of another instance", async () => {
    const { place, root } = await openWithKnownKey();
    const { seal } = await place.residency.seal(bytes);
    const statement = Buffer.from(canonicalize({ ...statementOf(seal), instanceId: "0".repeat(32) }));
    const forged = { statement: statement.toString("base64"), mac: macOf(root, statement, statementOf(seal)) };
    expect((await refusal(place.residency.verify(forged))).details["reason"]).toBe("instance");
  });

  it("of two that run together is told to both, neither with another cause; the worker stops once", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(bytes);
    await flipSealedBit(residency, shard, 100);
    const errors = await Promise.all([refusal(residency.verify(shard)), refusal(residency.verify(shard))]);
    for (const error of errors) {
      expect(error).toMatchObject({ message: "seal verification failed: digest", details: { reason: "digest" } });
      expect(Object.hasOwn(error, "cause")).toBe(false);
    }
    expect(errors).toContain(residency.signal.reason);
  });

  itWithFaults("for the driver has its error as the cause, whether or not there is a signal", async () => {
    for (const signal of [undefined, new AbortController().signal]) {
      const { residency } = await openWorkplace();
      const shard = await residency.seal(bytes);
      failCall({ entryPoint: "cuLaunchKernel", code: 1 });
      const error = await refusal(residency.verify(shard, signal === undefined ? {} : { signal }));
      expect(error).toMatchObject({ details: { reason: "driver" }, cause: { name: "CudaError", code: "CUDA_FAILED" } });
    }
  });

  itWithFaults("that the trail did not take is the trail's error alone", async () => {
    const failure = Object.assign(new Error("disk full"), { name: "AuditError", code: "AUDIT_UNAVAILABLE", details: {} });
    const onAppend = vi.fn();
    const { residency } = await openWorkplace({ audit: trail(onAppend) });
    const shard = await residency.seal(bytes);
    onAppend.mockImplementation(() => {
      throw failure;
    });
    const error = await refusal(residency.verify(shard));
    expect(error).toBe(residency.signal.reason);
    expect(error).toMatchObject({ code: "AUDIT_UNAVAILABLE", cause: failure });
  });
});

describe("an abort", () => {
  const reason = new Error("enough");

  async function expectAborted(residency: { readonly state: string }, running: Promise<unknown>): Promise<void> {
    const error = await refusal(running);
    expect(error).toMatchObject({ code: "ABORTED", kind: "caller" });
    expect(error.cause).toBe(reason);
    expect(residency.state).toBe("ready");
  }

  itWithFaults("before the start is all that is looked at", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(bytes);
    setPointerAttribute(IS_MANAGED, 1);
    await expectAborted(residency, residency.verify(shard, { signal: AbortSignal.abort(reason) }));
  });

  it("ends the reading of device memory, and stops nothing", async () => {
    const abort = new AbortController();
    const beforeMac = vi.fn();
    const { residency } = await openWorkplace({ sealKey: watchedKey(await generate(), beforeMac) });
    const shard = await residency.seal(bytes);
    beforeMac.mockImplementation(() => {
      abort.abort(reason);
    });
    await expectAborted(residency, residency.verify(shard, { signal: abort.signal }));
    await residency.verify(shard);
  });

  it("after the last verification keeps fn from running, and holds nothing", async () => {
    const abort = new AbortController();
    const onVerified = (type: string): void => {
      if (type === "vram.shard.verified") abort.abort(reason);
    };
    const { residency } = await openWorkplace({ audit: trail(onVerified) });
    const shard = await residency.seal(bytes);
    const fn = vi.fn();
    await expectAborted(residency, residency.execute(shard, fn, { signal: abort.signal }));
    expect(fn).not.toHaveBeenCalled();
    await shard.close();
  });
});

describe("the same shard twice", () => {
  async function shardOf(): Promise<{ residency: Awaited<ReturnType<typeof openWorkplace>>["residency"]; shard: SealedShard }> {
    const { residency } = await openWorkplace();
    return { residency, shard: await residency.seal(bytes, { shardId: "s" }) };
  }

  it("is refused by execute, as itself or as its seal, and held by nobody after it", async () => {
    const { residency, shard } = await shardOf();
    for (const other of [shard, shard.seal]) {
      const error = await refusal(residency.execute([shard, other], () => undefined));
      expect(error).toMatchObject({ code: "INVALID_INPUT", message: "shards must name each shard once", details: { argument: "shards" } });
    }
    const second = await residency.seal(bytes, { shardId: "t" });
    expect(await residency.execute([shard, second], ({ shards }) => shards.length)).toBe(2);
    await shard.close();
  });

  it("is refused by seal while the first lives", async () => {
    const { residency, shard } = await shardOf();
    const error = await refusal(residency.seal(bytes, { shardId: "s" }));
    expect(error).toMatchObject({ code: "INVALID_INPUT", message: "shardId must not be the id of a live shard", details: { argument: "shardId" } });
    await shard.close();
    await residency.seal(bytes, { shardId: "s" });
  });
});

describe("a worker that is no longer ready", () => {
  itWithFaults("says that it stopped, and because of what", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(bytes);
    skipKernel({ sticky: true });
    await refusal(residency.verify(shard));
    const error = await refusal(residency.verify(shard));
    expect(error).toMatchObject({ code: "STOPPED", message: "the worker is stopped; open a new residency", details: { state: "stopped" } });
    expect(error.cause).toBe(residency.signal.reason);
  });

  it("says that it was closed, already to who listens for it", async () => {
    const { residency } = await openWorkplace();
    const states: string[] = [];
    residency.signal.addEventListener("abort", () => states.push(residency.state));
    await residency.close();
    expect(states).toEqual(["closed"]);
    expect(residency.signal.reason).toMatchObject({ code: "STOPPED", message: "the residency was closed" });
    expect(await refusal(residency.seal(bytes))).toMatchObject({ message: "the worker is closed; open a new residency", details: { state: "closed" } });
  });
});
