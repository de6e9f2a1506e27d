import type { StoredEvent } from "vram-audit";
import { generate } from "vram-seal";
import { describe, expect, it } from "vitest";
import { VramError } from "../src/index.js";
import type { SealedShard } from "../src/index.js";
import { openWorkplace, patternBytes, refusal } from "./fixture.js";
import type { Workplace } from "./fixture.js";

const bytes = patternBytes(9000);
const RANDOM_ID = /^[0-9a-f]{32}$/;

interface Trail {
  readonly types: readonly string[];
  /** Of all of them, each once. */
  readonly ids: readonly (string | undefined)[];
}

/** What an operation adds to the trail; the log's own events name no operation. */
async function trailOf(place: Workplace, operation: () => Promise<unknown>): Promise<Trail> {
  const before = (await place.events()).length;
  await operation();
  const events: StoredEvent[] = (await place.events()).slice(before).filter(({ type }) => !type.startsWith("vram.audit."));
  return { types: events.map(({ type }) => type), ids: Array.from(new Set(events.map(({ correlationid }) => correlationid))) };
}

const wrong = { fsverity: "0".repeat(64) };
const refused = ["vram.seal.verification_failed", "vram.shard.deallocated"];
const nonce = new Uint8Array(16);

type Call = (place: Workplace, shard: SealedShard, options: { readonly correlationId?: string }) => Promise<unknown>;

const verification: readonly [Call, readonly string[]] = [({ residency }, shard, options) => residency.verify(shard, options), ["vram.shard.verified"]];

/** Operations whose options name them. */
const named: Record<string, readonly [Call, readonly string[]]> = {
  seal: [({ residency }, _, options) => residency.seal(bytes, options), ["vram.shard.sealed"]],
  "seal refused": [({ residency }, _, options) => refusal(residency.seal(bytes, { expect: wrong, ...options })), refused],
  sealSet: [({ residency }, _, options) => residency.sealSet([bytes, bytes], options), ["vram.shard.sealed", "vram.shard.sealed"]],
  verify: verification,
  "verify refused": [
    ({ residency }, { seal }, options) => refusal(residency.verify({ ...seal, mac: "AA==" }, options)),
    ["vram.seal.verification_failed", "vram.worker.stopped"],
  ],
  execute: [({ residency }, shard, options) => residency.execute(shard, () => undefined, options), ["vram.shard.verified"]],
  attest: [({ residency }, shard, options) => residency.attest(shard, { nonce, ...options }), ["vram.shard.verified"]],
  reseal: [({ residency }, shard, options) => residency.reseal(shard, options), ["vram.shard.verified", "vram.shard.resealed"]],
};

/** Operations without options. */
const unnamed: Record<string, readonly [Call, readonly string[]]> = {
  rotateSealKey: [async ({ residency }) => residency.rotateSealKey(await generate()), ["vram.key.rotated"]],
  "a shard's close": [(_, shard) => shard.close(), ["vram.shard.deallocated"]],
  close: [({ residency }) => residency.close(), ["vram.shard.deallocated", "vram.worker.stopped"]],
};

describe("every event of an operation has the same correlation id", () => {
  it.each(Object.entries(named))("%s: the caller's", async (_, [call, types]) => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(bytes);
    expect(await trailOf(place, () => call(place, shard, { correlationId: "request:7" }))).toEqual({ types, ids: ["request:7"] });
  });

  it.each(Object.entries({ verify: verification, ...unnamed }))("%s: a random one", async (_, [call, types]) => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(bytes);
    const trail = await trailOf(place, () => call(place, shard, {}));
    expect(trail).toEqual({ types, ids: [expect.stringMatching(RANDOM_ID)] });
  });

  it("retireSealKey: a random one", async () => {
    const sealKey = await generate();
    const place = await openWorkplace({ sealKey });
    await place.residency.rotateSealKey(await generate());
    const trail = await trailOf(place, () => place.residency.retireSealKey(sealKey.keyId));
    expect(trail).toEqual({ types: ["vram.key.retired"], ids: [expect.stringMatching(RANDOM_ID)] });
  });

  it("opening: the caller's", async () => {
    const place = await openWorkplace({ correlationId: "boot-1" });
    const started = (await place.events()).filter(({ type }) => type === "vram.worker.started");
    expect(started).toMatchObject([{ correlationid: "boot-1" }]);
  });

  it("another for every call", async () => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(bytes);
    const { ids } = await trailOf(place, () => Promise.all([1, 2, 3].map(() => place.residency.verify(shard))));
    expect(ids).toHaveLength(3);
  });

  it("another for a call that the fn of an execute makes", async () => {
    const place = await openWorkplace();
    const { residency } = place;
    const [outer, inner] = [await residency.seal(bytes), await residency.seal(bytes)];
    const { ids } = await trailOf(place, () =>
      residency.execute(outer, () => residency.verify(inner, { correlationId: "inner" }), { correlationId: "outer" }),
    );
    expect(ids).toEqual(["outer", "inner"]);
  });

  it("its error too", async () => {
    const { residency } = await openWorkplace();
    const failure = await refusal(residency.seal(bytes, { expect: wrong, correlationId: "request:8" }));
    expect(failure.correlationId).toBe("request:8");
    expect(new VramError("ABORTED", "elsewhere").correlationId).toBeUndefined();
  });
});

it("a correlation id that is none is refused", async () => {
  const { residency } = await openWorkplace();
  const argument = "options.correlationId";
  for (const given of ["", "a b", "a".repeat(129), "a\n", 1, null]) {
    const correlationId = given as string;
    const calls = [residency.seal(bytes, { correlationId }), residency.sealSet([bytes], { correlationId }), residency.attest([], { nonce, correlationId })];
    for (const failure of await Promise.all(calls.map(refusal))) expect(failure).toMatchObject({ code: "INVALID_INPUT", details: { argument } });
  }
  expect(await refusal(openWorkplace({ correlationId: "a b" }))).toMatchObject({ code: "INVALID_CONFIG", details: { argument } });
});
