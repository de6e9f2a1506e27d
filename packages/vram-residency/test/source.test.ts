import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fsverityDigest } from "vram-seal";
import { eventTypes, expectNothingHeld, expectZeroed, makeFifo, openWorkplace, patternBytes, refusal } from "./fixture.js";
import type { Workplace } from "./fixture.js";

const DEALLOCATED = "vram.shard.deallocated";
const REFUSED = "vram.seal.verification_failed";

/** Nothing of the seal stays, the worker goes on, and the trail says exactly this. */
async function expectUndone(place: Workplace, events: string[]) {
  expect(place.residency.state).toBe("ready");
  expect(place.residency.capacity().usedBytes).toBe(0);
  expect(await eventTypes(place)).toEqual(["vram.worker.started", ...events]);
  await place.residency.close();
  expectNothingHeld();
}

function stream(byteLength: number, ...chunks: unknown[]) {
  async function* generate() {
    for (const chunk of chunks) {
      await Promise.resolve();
      yield chunk;
    }
  }
  return Object.assign(generate(), { byteLength }) as never;
}

describe("a source that cannot be loaded", () => {
  it.each([
    ["a missing file", (place: Workplace) => join(place.folder, "missing")],
    ["a directory", (place: Workplace) => place.folder],
    ["an empty file", (place: Workplace) => place.model(Buffer.alloc(0))],
    ["a FIFO", (place: Workplace) => makeFifo(place.folder)],
    ["an http URL", () => new URL("http://127.0.0.1/model")],
    ["a path with NUL", () => "model\0.bin"],
    ["empty memory", () => Buffer.alloc(0)],
    ["a number", () => 5],
    ["null", () => null],
    ["a stream without a byteLength", () => stream(Number.NaN, Buffer.alloc(1))],
  ])("INVALID_INPUT for %s, nothing allocated and no event", async (_, make) => {
    const place = await openWorkplace();
    const error = await refusal(place.residency.seal((await make(place)) as never));
    expect(error).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
    expect(JSON.stringify([error.message, error.details, error.cause])).not.toContain(place.folder);
    await expectUndone(place, []);
  });

  it.each([
    ["fewer bytes than said", () => stream(100, Buffer.alloc(60))],
    ["more bytes than said", () => stream(100, Buffer.alloc(60), Buffer.alloc(60))],
    ["something that is not bytes", () => stream(100, Buffer.alloc(60), "text")],
  ])("INVALID_INPUT for a stream of %s, and its memory is wiped", async (_, make) => {
    const place = await openWorkplace();
    expect(await refusal(place.residency.seal(make()))).toMatchObject({ code: "INVALID_INPUT" });
    expectZeroed();
    await expectUndone(place, [DEALLOCATED]);
  });

  // The first bytes are read before memory is held, since the header decides how the image lies in it.
  describe.each([
    ["at once", [], []],
    ["after its first bytes", [Buffer.alloc(60)], [DEALLOCATED]],
  ])("%s", (_, first, events) => {
    const then = (next: () => Promise<never>) => {
      const chunks = [...first];
      const nextChunk = () => {
        const value = chunks.shift();
        return value === undefined ? next() : Promise.resolve({ value });
      };
      return { byteLength: 100, [Symbol.asyncIterator]: () => ({ next: nextChunk }) };
    };

    it("INVALID_INPUT for a stream that fails, with the caller's error as its cause", async () => {
      const place = await openWorkplace();
      const mine = new Error("network gone");
      const failing = then(() => Promise.reject(mine));
      expect(await refusal(place.residency.seal(failing))).toMatchObject({ code: "INVALID_INPUT", cause: mine });
      await expectUndone(place, events);
    });

    it("ABORTED does not wait for a stream that never answers", async () => {
      const place = await openWorkplace();
      const hanging = then(() => new Promise<never>(() => undefined));
      expect(await refusal(place.residency.seal(hanging, { signal: AbortSignal.timeout(30) }))).toMatchObject({ code: "ABORTED" });
      await expectUndone(place, events);
    });
  });
});

describe("expect", () => {
  const bytes = patternBytes(9000);
  const sha256 = createHash("sha256").update(bytes).digest("hex");

  it("accepts the right digests and puts them into the statement", async () => {
    const { residency } = await openWorkplace();
    const expected = { fsverity: fsverityDigest(bytes), sha256 };
    const { seal } = await residency.seal(bytes, { expect: expected });
    expect(JSON.parse(Buffer.from(seal.statement, "base64").toString())).toMatchObject({ expected });
  });

  it.each([
    ["fsverity", { fsverity: "0".repeat(64) }],
    ["sha256", { sha256: "0".repeat(64) }],
  ])("INTEGRITY_VIOLATION for another %s, with both digests and everything undone", async (_, expected) => {
    const place = await openWorkplace();
    const error = await refusal(place.residency.seal(bytes, { expect: expected }));
    expect(error).toMatchObject({
      code: "INTEGRITY_VIOLATION",
      details: { reason: "expect", expectedDigest: "0".repeat(64) },
    });
    expect(error.details["actualDigest"]).toMatch(/^[0-9a-f]{64}$/);
    await expectUndone(place, [REFUSED, DEALLOCATED]);
  });
});
