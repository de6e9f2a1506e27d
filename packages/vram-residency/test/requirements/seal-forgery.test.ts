import { hkdfSync, randomBytes } from "node:crypto";
import { canonicalize, fromWorkerToken, generate, preAuthEncoding } from "vram-seal";
import type { Seal, SealKey } from "vram-seal";
import { describe, expect, it, vi } from "vitest";
import { backend, eventsOfType, openWorkplace, patternBytes, refusal, watchedKey } from "../fixture.js";
import type { Workplace } from "../fixture.js";
import { macOf, openWithKnownKey, resigned, statementOf } from "../seal-bytes.js";

const TOKEN = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF";
const REFUSED = "vram.seal.verification_failed";

function sealed({ residency }: Workplace) {
  return residency.seal(patternBytes(5000), { shardId: "s" });
}

function flipBit(base64: string, bit: number): string {
  const bytes = Buffer.from(base64, "base64");
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return bytes.toString("base64");
}

/** Executes on a presented seal: refused for one of the reasons, `fn` not called, audited as critical, and the worker stopped. */
async function expectRefused(place: Workplace, presented: unknown, reasons: string[]): Promise<void> {
  const fn = vi.fn();
  const error = await refusal(place.residency.execute(presented as Seal, fn));
  expect(error).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", kind: "fatal" });
  expect(reasons).toContain(error.details["reason"]);
  expect(fn).not.toHaveBeenCalled();
  expect(place.residency.state).toBe("stopped");
  expect(await eventsOfType(place, REFUSED)).toMatchObject([{ severity: "critical", data: { reason: error.details["reason"] } }]);
  await place.residency.close();
}

/** Each forgery of a live seal is presented to a worker of its own, since the first refusal stops one. */
async function expectForgeriesRefused(forge: (seal: Seal) => unknown[], reasons: string[]): Promise<void> {
  const { length } = forge({ statement: "", mac: Buffer.alloc(32).toString("base64") });
  expect(length).toBeGreaterThan(0);
  for (let index = 0; index < length; index += 1) {
    const place = await openWorkplace();
    const { seal } = await sealed(place);
    await expectRefused(place, forge(seal)[index], reasons);
  }
}

it("SF-1 a presented seal verifies and executes while its shard lives", async () => {
  const place = await openWorkplace();
  const { seal } = await sealed(place);
  const presented = JSON.parse(JSON.stringify(seal)) as Seal;
  expect(await place.residency.verify(presented)).toMatchObject({ shardId: "s" });
  expect(await place.residency.execute(presented, () => 7)).toBe(7);
});

it("SF-1 WORKER-4161 test_seal_forgery_rejected random, zeroed, shorter and longer signatures are refused and audited", async () => {
  const other = [randomBytes(32), Buffer.alloc(32)].map((mac) => mac.toString("base64"));
  await expectForgeriesRefused((seal) => other.map((mac) => ({ ...seal, mac })), ["mac"]);
  const resized = (mac: Buffer) => [0, 16, 31].map((length) => mac.subarray(0, length)).concat([1, 32].map((more) => Buffer.concat([mac, Buffer.alloc(more)])));
  await expectForgeriesRefused((seal) => resized(Buffer.from(seal.mac, "base64")).map((mac) => ({ ...seal, mac: mac.toString("base64") })), ["shape"]);
});

it("SF-1 CI-003 test_seal_forgery_rejected one flipped bit in any byte of the signature is refused and audited", async () => {
  await expectForgeriesRefused((seal) => Array.from({ length: 32 }, (_, byte) => ({ ...seal, mac: flipBit(seal.mac, 8 * byte + (byte % 8)) })), ["mac"]);
});

it.each([
  ["nothing in it", {}],
  ["spaces in base64", { mac: ` ${Buffer.alloc(32).toString("base64")}` }],
  ["a surplus field", { extra: 1 }],
])("SF-1 a seal with %s is refused by its shape", async (_, change) => {
  const place = await openWorkplace();
  const { seal } = await sealed(place);
  await expectRefused(place, Object.keys(change).length === 0 ? change : { ...seal, ...change }, ["shape"]);
});

it("SF-1 CI-001 a seal under another key is refused", async () => {
  const other = await openWorkplace({ sealKey: await generate() });
  const { seal } = await sealed(other);
  await other.residency.close();
  const place = await openWorkplace();
  await sealed(place);
  await expectRefused(place, seal, ["mac"]);
});

describe("a modified digest", () => {
  it("SF-2 test_tampered_digest_rejected a statement with another digest is refused, as a critical event", async () => {
    const place = await openWorkplace();
    const { seal } = await sealed(place);
    const statement = Buffer.from(canonicalize({ ...statementOf(seal), digest: "0".repeat(64) })).toString("base64");
    await expectRefused(place, { ...seal, statement }, ["mac"]);
  });

  it("SF-2 test_tampered_digest_rejected also where somebody signed it with the very key", async () => {
    const { place, root } = await openWithKnownKey();
    const { seal } = await sealed(place);
    await expectRefused(place, resigned(root, seal, { digest: "0".repeat(64) }), ["statement"]);
  });
});

describe("a replayed seal", () => {
  it("SF-3 test_seal_replay_rejected the seal of a released shard, also after its id is used again", async () => {
    const place = await openWorkplace();
    const old = await sealed(place);
    await old.close();
    await sealed(place);
    await expectRefused(place, old.seal, ["unknown_shard"]);
  });

  it("SF-3 test_seal_replay_rejected the seal of another instance under the same root key", async () => {
    const first = await openWorkplace({ sealKey: await fromWorkerToken(TOKEN) });
    const { seal } = await sealed(first);
    await first.residency.close();
    const second = await openWorkplace({ sealKey: await fromWorkerToken(TOKEN) });
    await sealed(second);
    await expectRefused(second, seal, ["mac", "instance"]);
  });

  it("SF-3 test_seal_replay_rejected a seal older than the configured age", async () => {
    const place = await openWorkplace({ policy: { ...backend.policy, maxSealAgeMs: 1 } });
    const { seal } = await sealed(place);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expectRefused(place, seal, ["age"]);
  });
});

/** A worker whose key, from the first seal on, has one answer to everything that it is asked to verify. */
async function sealedWithStubborn(verdict: unknown) {
  const key = watchedKey(await generate(), () => undefined);
  let isStubborn = false;
  const sealKey: SealKey = { ...key, verify: (...args) => (isStubborn ? Promise.resolve(verdict as boolean) : key.verify(...args)) };
  const place = await openWorkplace({ sealKey });
  const { seal } = await sealed(place);
  isStubborn = true;
  return { place, seal };
}

it("SF-5 CI-003 test_timing_safe_verification a seal is refused where its key's comparison says so", async () => {
  const { place, seal } = await sealedWithStubborn(false);
  await expectRefused(place, seal, ["mac"]);
});

it.each([undefined, 1, "true"])("CI-003 the answer %j of a key is no verdict", async (verdict) => {
  const { place, seal } = await sealedWithStubborn(verdict);
  expect(await refusal(place.residency.verify(seal))).toMatchObject({ code: "KEY_UNAVAILABLE", details: { reason: "bad-verdict" } });
  expect(place.residency.state).toBe("ready");
});

it("CI-001 test_seal_signature a shard's seal is the specification's HMAC-SHA256 under the worker's key", async () => {
  const { place, root } = await openWithKnownKey();
  const { seal } = await sealed(place);
  expect(seal.mac).toBe(macOf(root, Buffer.from(seal.statement, "base64")));
});

it("CI-002 test_signature_coverage a seal with any one field changed is refused", async () => {
  const changed = ({ statement, mac }: Seal): Seal[] => {
    if (statement === "") return Array<Seal>(FIELDS).fill({ statement, mac });
    const fields = statementOf({ statement, mac });
    return Object.entries(fields).map(([name, value]) => {
      const other = typeof value === "number" ? value + 1 : typeof value === "string" ? `${value}0` : typeof value === "boolean" ? !value : "x";
      return { statement: Buffer.from(canonicalize({ ...fields, [name]: other })).toString("base64"), mac };
    });
  };
  const FIELDS = 22;
  const { seal } = await sealed(await openWorkplace());
  expect(changed(seal)).toHaveLength(FIELDS);
  await expectForgeriesRefused(changed, ["mac"]);
});

it("CI-005 test_key_derivation a key from a worker token is HKDF-SHA256 of it", async () => {
  const place = await openWorkplace({ sealKey: await fromWorkerToken(TOKEN) });
  const { seal } = await sealed(place);
  const root = Buffer.from(hkdfSync("sha256", TOKEN, "vram-seal/v1", "root", 32));
  expect(seal.mac).toBe(macOf(root, Buffer.from(seal.statement, "base64")));
});

it("CI-001 the encoding that is signed is DSSE's", () => {
  expect(Buffer.from(preAuthEncoding("http://example.com/HelloWorld", Buffer.from("hello world"))).toString()).toBe(
    "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  );
});
