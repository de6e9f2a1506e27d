import { describe, expect, it, vi } from "vitest";
import { generate } from "vram-seal";
import type { Seal } from "vram-seal";
import { openWorkplace, patternBytes, refusal } from "./fixture.js";
import type { Workplace } from "./fixture.js";

async function sealed(place: Workplace) {
  return place.residency.seal(patternBytes(5000), { shardId: "s" });
}

/** The same base64 text with one bit of byte `index` changed. */
function flipByte(base64: string, index: number): string {
  const bytes = Buffer.from(base64, "base64");
  bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index);
  return bytes.toString("base64");
}

async function expectRefused(place: Workplace, presented: unknown, reasons: string[]) {
  const fn = vi.fn();
  const error = await refusal(place.residency.execute(presented as Seal, fn));
  expect(error.code).toBe("SEAL_VERIFICATION_FAILED");
  expect(reasons).toContain(error.details["reason"]);
  expect(fn).not.toHaveBeenCalled();
  expect(place.residency.state).toBe("stopped");
  const events = await place.events();
  expect(events.filter(({ type }) => type === "vram.seal.verification_failed")).toMatchObject([
    { severity: "critical", data: { reason: error.details["reason"] } },
  ]);
}

describe("a presented seal", () => {
  it("verifies and executes while its shard lives", async () => {
    const place = await openWorkplace();
    const { seal } = await sealed(place);
    const presented = JSON.parse(JSON.stringify(seal)) as Seal;
    expect(await place.residency.verify(presented)).toMatchObject({ shardId: "s" });
    expect(await place.residency.execute(presented, () => 7)).toBe(7);
  });

  it("SF-1 test_seal_forgery_rejected refuses any changed byte of statement or MAC, audits it and stops", async () => {
    const place = await openWorkplace();
    const { seal } = await sealed(place);
    const statementBytes = Buffer.from(seal.statement, "base64").length;
    const changed = [
      ...[0, 17, statementBytes >> 1, statementBytes - 1].map((index) => ({ ...seal, statement: flipByte(seal.statement, index) })),
      ...[0, 15, 31].map((index) => ({ ...seal, mac: flipByte(seal.mac, index) })),
    ];
    for (const presented of changed) {
      const fresh = await openWorkplace();
      await sealed(fresh);
      await expectRefused(fresh, presented, ["mac"]);
      await fresh.residency.close();
    }
  });

  it.each([
    ["an empty object", {}],
    ["a MAC of 16 bytes", { mac: Buffer.alloc(16).toString("base64") }],
    ["a MAC of 33 bytes", { mac: Buffer.alloc(33).toString("base64") }],
    ["spaces in base64", { mac: ` ${Buffer.alloc(32).toString("base64")}` }],
  ])("SF-1 refuses the shape of %s", async (_, change) => {
    const place = await openWorkplace();
    const { seal } = await sealed(place);
    const presented = Object.keys(change).length === 0 ? change : { ...seal, ...change };
    await expectRefused(place, presented, ["shape"]);
  });

  it("SF-3 test_seal_replay_rejected refuses the seal of a released shard, also after its id is used again", async () => {
    const place = await openWorkplace();
    const old = await sealed(place);
    await old.close();
    await sealed(place);
    await expectRefused(place, old.seal, ["unknown_shard"]);
  });

  it("SF-3 test_seal_replay_rejected refuses the seal of another instance under the same root key", async () => {
    const token = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF";
    const { fromWorkerToken } = await import("vram-seal");
    const first = await openWorkplace({ sealKey: await fromWorkerToken(token) });
    const { seal } = await sealed(first);
    await first.residency.close();
    const second = await openWorkplace({ sealKey: await fromWorkerToken(token) });
    await sealed(second);
    await expectRefused(second, seal, ["mac", "instance"]);
  });

  it("SF-3 test_seal_replay_rejected refuses a seal older than the configured age", async () => {
    const place = await openWorkplace({ policy: { allowBackends: ["simulator"], maxSealAgeMs: 1 } });
    const { seal } = await sealed(place);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expectRefused(place, seal, ["age"]);
  });

  it("SF-1 refuses a seal under another key", async () => {
    const other = await openWorkplace({ sealKey: await generate() });
    const { seal } = await sealed(other);
    await other.residency.close();
    const place = await openWorkplace();
    await sealed(place);
    await expectRefused(place, seal, ["mac"]);
  });
});
