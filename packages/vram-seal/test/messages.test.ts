import { readFileSync } from "node:fs";
import { chmod, link, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assertSealAge, canonicalize, createAttestation, createKeyFile, createSeal, fromAttestationKeyFile, fromKeyFile, fromSystemdCredential, fromWorkerToken, generate, generateAttestationKey, preAuthEncoding, SealError, verifyAttestation, verifySeal } from "../src/index.js";
import type { AttestationStatement, SealStatement } from "../src/index.js";
import { ATTESTATION_TYPE } from "../src/attestation/attestation-statement.js";
import { sealMac } from "../src/seal/seal-mac.js";
import { INSTANCE, statementFor, withDirectory, writeWithMode } from "./support/fixtures.js";

const { statement, envelope, publicKey, nonce, nowMs } = JSON.parse(readFileSync(new URL("vectors/attestation-v1.json", import.meta.url), "utf8")) as {
  statement: AttestationStatement;
  envelope: string;
  publicKey: string;
  nonce: string;
  nowMs: number;
};

async function told(name: string, act: () => unknown): Promise<string> {
  try {
    await act();
    return `${name}: nothing`;
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    expect(Object.isFrozen(error.details)).toBe(true);
    return `${name}: ${error.name} ${error.code}: ${error.message} ${JSON.stringify(error.details)}`;
  }
}

async function tell(acts: Record<string, () => unknown>): Promise<string> {
  const lines: string[] = [];
  for (const [name, act] of Object.entries(acts)) lines.push(await told(name, act));
  return `${lines.join("\n")}\n`;
}

/** The statement with one value replaced, by its path. */
function replaced(path: string, value: unknown): unknown {
  const whole = structuredClone(statement) as unknown as Record<string, unknown>;
  const names = path.split(".");
  const last = names.pop() ?? "";
  const parent = names.reduce((at, name) => at[name] as Record<string, unknown>, whole);
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = value;
  return whole;
}

/** A value in few characters, and how many it has. */
function short(value: unknown): string {
  const text = value === undefined ? "absent" : JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 60)} (${text.length})`;
}

const bytes = (length: number) => Buffer.alloc(length, 1).toString("base64");

/** What a field may not be, and next to it the last value that it may. */
const ATTESTED: readonly (readonly [path: string, ...values: unknown[]])[] = [
  ["_type", "https://in-toto.io/Statement/v0.1", undefined],
  ["predicateType", "", undefined],
  ["subject", [], {}, null],
  ["subject.0.name", "a/b", ""],
  ["subject.0.digest", {}, { sha256: "0".repeat(64) }, { "fsverity-sha256-4096": "0" }, null, { "fsverity-sha256-4096": "0".repeat(64), md5: "0" }],
  ["predicate.nonce", bytes(15), bytes(16), bytes(64), bytes(65), "AA", `${bytes(16)} `, 5, undefined],
  ["predicate.requestedAt", "2001-02-03T04:05:06.500Z", "2001-02-03T04:05:06.501Z", "2001-02-03", 5],
  ["predicate.attestedAt", "2001-02-03T04:05:06.500Z", "2001-02-03T04:05:06.499Z", "2001-02-30T00:00:00.000Z"],
  ["predicate.shards.0.verifiedAt", "2001-02-03T04:05:06.000Z", "2001-02-03T04:05:05.999Z", "2001-02-03T04:05:07.000Z", "2001-02-03T04:05:07.001Z"],
  ["predicate.workerId", "", "a\0"],
  ["predicate.instanceId", "0"],
  ["predicate.device.uuid", "GPU-1"],
  ["predicate.device.name", ""],
  ["predicate.device.backend", "host"],
  ["predicate.device.driverVersion", ""],
  ["predicate.device.ecc", 1, null],
  ["predicate.device.integrated", "no", null],
  ["predicate.device", null, []],
  ["predicate.software.driverLibrary", "0"],
  ["predicate.software.addon", "0"],
  ["predicate.software.kernel", "0"],
  ["predicate.policy", [], [{ rule: "A", verdict: "pass" }], [{ rule: "a", verdict: "maybe" }], [{ rule: "a" }], {}],
  ["predicate.shards", [], [statement.predicate.shards[0]], [...statement.predicate.shards].reverse(), [null, null]],
  ["predicate.shards.0.shardId", "other"],
  ["predicate.shards.0.modelRef", ""],
  ["predicate.shards.0.vramBytes", 0, 1, 1.5],
  ["predicate.shards.0.placement", null, { bufferId: "-1", blockId: "1", access: "read" }, { bufferId: "1", blockId: "1", access: "write" }],
  ["predicate.shards.0.expected", {}, { md5: "0" }, null],
  ["predicate.shards.0.keyId", "0"],
  ["predicate.shards.0.sealSequence", -1, 0],
  ["predicate.shards.0.sealedAt", ""],
  ["predicate.shards.0.method", "hope"],
  ["predicate.auditHead.origin", ""],
  ["predicate.auditHead.size", -1, 0],
  ["predicate.auditHead.root", bytes(31), bytes(33)],
  ["predicate.signingKey", "file", "pkcs11", "hsm"],
];

const SEALED: readonly (readonly [keyof SealStatement, ...values: unknown[]])[] = [
  ["gpuUuid", "GPU-1", "MIG-00112233-4455-6677-8899-aabbccddeeff"],
  ["backend", "host"],
  ["driverVersion", "", "1".repeat(64), "1".repeat(65)],
  ["placement", { bufferId: "18446744073709551615", blockId: "0", access: "read" }, { bufferId: "18446744073709551616", blockId: "0", access: "read" }, { bufferId: "01", blockId: "0", access: "read" }],
  ["expected", {}, { fsverity: "0" }, { identity: "" }],
  ["sealedAt", "2001-02-30T00:00:00.000Z", "2001-02-03T04:05:06Z"],
  ["setId", "a/b", null],
  ["shardIndex", -1, 2, null],
  ["totalShards", 0, null],
  ["keyId", "0"],
  ["instanceId", "0"],
  ["gpuDevice", -1],
  ["kernel", "0"],
  ["digestAlgorithm", "md5"],
  ["v", 2],
];

describe("what errors say is on file", () => {
  it("VP-006 of each field of an attestation", async () => {
    const key = generateAttestationKey();
    const own = { ...statement, predicate: { ...statement.predicate, signingKey: "process" } };
    expect(await createAttestation(own as AttestationStatement, key)).toContain("payload");
    const acts = ATTESTED.flatMap(([path, ...values]) =>
      values.map((value) => {
        const changed = replaced(path, value) as { predicate: { signingKey: unknown } };
        if (path !== "predicate.signingKey") changed.predicate.signingKey = "process";
        return [`${path} = ${short(value)}`, () => createAttestation(changed as never, key)] as const;
      }),
    );
    await expect(await tell(Object.fromEntries(acts))).toMatchFileSnapshot("vectors/attestation-messages.txt");
  });

  it("VP-006 of each step of an attestation's verification", async () => {
    const options = { publicKey, nonce: Buffer.from(nonce, "hex"), nowMs };
    const parts = JSON.parse(envelope) as { payload: string; payloadType: string; signatures: { keyid: string; sig: string }[] };
    const [signature] = parts.signatures;
    const of = (changes: object) => () => verifyAttestation(canonicalize({ ...parts, ...changes }), options);
    const by = (changes: object) => () => verifyAttestation(envelope, { ...options, ...changes });
    const attestedMs = Date.parse("2001-02-03T04:05:07.000Z");
    const key = generateAttestationKey();
    const mine = { ...options, publicKey: key.publicKey, allowProcessKey: true };
    const signed = (payload: string, changes: object = {}) => async () => {
      const sig = await key.sign(preAuthEncoding(ATTESTATION_TYPE, Buffer.from(payload)));
      const signatures = [{ keyid: key.keyId, sig: Buffer.from(sig).toString("base64") }];
      const text = canonicalize({ payload: Buffer.from(payload).toString("base64"), payloadType: ATTESTATION_TYPE, signatures });
      return verifyAttestation(text, { ...mine, ...changes });
    };
    const stated = (path: string, value: unknown) => canonicalize(replaced(path, value));
    const rules = [{ rule: "fine", verdict: "pass" }, { rule: "broken", verdict: "violated" }];
    // What is not payload in an envelope has 248 characters, and a payload has four for three bytes.
    const largest = ((16 * 2 ** 20 - 248) / 4) * 3;
    await expect(
      await tell({
        good: by({}),
        "no text": () => verifyAttestation(5 as never, options),
        "payload 5": of({ payload: 5 }),
        "payload no base64": of({ payload: "A" }),
        "payload type": of({ payloadType: "text/plain" }),
        "signatures 5": of({ signatures: 5 }),
        "no signature": of({ signatures: [] }),
        "two signatures": of({ signatures: [signature, signature] }),
        "signature null": of({ signatures: [null] }),
        "key id": of({ signatures: [{ ...signature, keyid: "0" }] }),
        "another key id": of({ signatures: [{ ...signature, keyid: "0".repeat(64) }] }),
        "signature 5": of({ signatures: [{ ...signature, sig: 5 }] }),
        "short signature": of({ signatures: [{ ...signature, sig: bytes(63) }] }),
        "wrong signature": of({ signatures: [{ ...signature, sig: bytes(64) }] }),
        "nonce 15": by({ nonce: Buffer.alloc(15) }),
        "nonce 16": by({ nonce: Buffer.alloc(16) }),
        "nonce 64": by({ nonce: Buffer.alloc(64) }),
        "nonce 65": by({ nonce: Buffer.alloc(65) }),
        "age 0": by({ maxAgeMs: 0, nowMs: attestedMs }),
        "age 1000": by({ maxAgeMs: 1000, nowMs: attestedMs }),
        "age -1": by({ maxAgeMs: -1 }),
        "age NaN": by({ maxAgeMs: Number.NaN }),
        "5 s ahead": by({ nowMs: attestedMs - 5000 }),
        "5.001 s ahead": by({ nowMs: attestedMs - 5001 }),
        "now NaN": by({ nowMs: Number.NaN }),
        "default age": by({ nowMs: Date.parse("2001-02-03T04:10:06.000Z") }),
        "over default age": by({ nowMs: Date.parse("2001-02-03T04:10:06.001Z") }),
        "no key": by({ publicKey: "none" }),
        "flag as text": by({ allowProcessKey: "true" }),
        backend: by({ allowBackends: ["simulator"] }),
        "signed by me": signed(canonicalize(statement)),
        "signed no JSON": signed("{"),
        "signed with a space": signed(`${canonicalize(statement)} `),
        "signed malformed": signed(stated("predicate.shards.0.vramBytes", 0)),
        "process key": signed(stated("predicate.signingKey", "process"), { allowProcessKey: false }),
        "simulator": signed(stated("predicate.device.backend", "simulator")),
        "one rule of two violated": signed(stated("predicate.policy", rules)),
        "signed no object": signed("[]"),
        "signed with more": signed(stated("more", 1)),
        "an envelope of 16 MiB": signed(" ".repeat(largest)),
        "an envelope of more": signed(" ".repeat(largest + 1)),
      }),
    ).toMatchFileSnapshot("vectors/attestation-refusals.txt");
  });

  it("CI-005 of keys", async () => {
    await withDirectory(async (directory) => {
      const at = (name: string) => join(directory, name);
      await writeWithMode(at("good"), Buffer.alloc(32, 1), 0o600);
      await writeWithMode(at("short"), Buffer.alloc(31, 1), 0o600);
      await writeWithMode(at("zero"), Buffer.alloc(32), 0o600);
      await writeWithMode(at("open"), Buffer.alloc(32, 1), 0o644);
      await writeWithMode(at("linked"), Buffer.alloc(32, 1), 0o600);
      await link(at("linked"), at("link"));
      await symlink(at("good"), at("symbolic"));
      await mkdir(at("shared"));
      await chmod(at("shared"), 0o777);
      await writeFile(join(at("shared"), "key"), Buffer.alloc(32, 1), { mode: 0o600 });
      const names = ["good", "short", "zero", "open", "linked", "symbolic", "shared", "absent", "good/key", "shared/key"];
      const texts = { empty: "", dot: ".", dots: `${directory}/..`, nul: "a\0", number: 5 as never };
      const tokens = { short: "a".repeat(31), few: "abcdefghijk".repeat(4), control: `${"0123456789abcdef".repeat(3)}\n`, good: "0123456789abcdefghijklmnopqrstuvwxyz", number: 5 as never };
      const acts: Record<string, () => unknown> = {
        "no credentials directory": () => fromSystemdCredential("key"),
      };
      for (const name of names) {
        acts[`seal key ${name}`] = () => fromKeyFile(at(name));
        acts[`attestation key ${name}`] = () => fromAttestationKeyFile(at(name));
      }
      for (const [name, text] of Object.entries(texts)) acts[`path ${name}`] = () => fromKeyFile(text);
      for (const name of ["good", "new", "absent/new", "shared/new"]) acts[`create ${name}`] = () => createKeyFile(at(name));
      for (const [name, token] of Object.entries(tokens)) acts[`token ${name}`] = () => fromWorkerToken(token);
      for (const name of ["a/b", "", "."]) acts[`credential ${name}`] = () => fromSystemdCredential(name);
      acts["closed key"] = async () => {
        const key = await generate();
        await key.close();
        await key.mac(INSTANCE, Buffer.alloc(1));
      };
      acts["disposed key"] = async () => {
        const key = await generate();
        await key[Symbol.asyncDispose]();
        await key.mac(INSTANCE, Buffer.alloc(1));
      };
      acts["disposed attestation key"] = async () => {
        const key = generateAttestationKey();
        await key[Symbol.asyncDispose]();
        await key.sign(Buffer.alloc(1));
      };
      acts["closed attestation key"] = async () => {
        const key = generateAttestationKey();
        await key.close();
        await key.sign(Buffer.alloc(1));
      };
      await expect(await tell(acts)).toMatchFileSnapshot("vectors/key-messages.txt");
    });
  });

  it("SF-1 CI-002 of seals", async () => {
    const key = await generate();
    const seal = await createSeal(statementFor(key), key);
    const acts: Record<string, () => unknown> = {};
    for (const [field, ...values] of SEALED) {
      for (const value of values) acts[`${field} = ${short(value)}`] = () => createSeal(statementFor(key, { [field]: value }), key);
    }
    acts["index without total"] = () => createSeal(statementFor(key, { setId: null, totalShards: null }), key);
    acts["for another key"] = () => createSeal(statementFor(key, { keyId: "0".repeat(16) }), key);
    acts["with a false claim of a lock"] = () => createSeal(statementFor(key, { keyLocked: !key.locked }), key);
    acts["of a key without MAC"] = () => createSeal(statementFor(key), { ...key, keyId: key.keyId, mac: () => Promise.resolve(new Uint8Array(31)) });
    const signed = (text: string) => async () => {
      const mac = await sealMac(key, INSTANCE, Buffer.from(text));
      const sealed = { statement: Buffer.from(text).toString("base64"), mac: Buffer.from(mac).toString("base64") };
      await verifySeal(sealed, { key, instanceId: INSTANCE });
    };
    acts["signed"] = signed(canonicalize(statementFor(key)));
    acts["signed no JSON"] = signed("{");
    acts["signed with a space"] = signed(`${canonicalize(statementFor(key))} `);
    acts["signed malformed"] = signed(canonicalize(statementFor(key, { vramBytes: 0 })));
    acts["signed for another instance"] = signed(canonicalize(statementFor(key, { instanceId: "f".repeat(32) })));
    acts["signed for another key"] = signed(canonicalize(statementFor(key, { keyId: "0".repeat(16) })));
    acts["neither"] = () => createSeal(statementFor(key, { setId: null, shardIndex: null, totalShards: null }), key);
    acts["set alone"] = () => createSeal(statementFor(key, { shardIndex: null, totalShards: null }), key);
    acts["another key"] = async () => verifySeal(seal, { key: await generate(), instanceId: INSTANCE });
    acts["another instance"] = () => verifySeal(seal, { key, instanceId: "f".repeat(32) });
    acts["no instance"] = () => verifySeal(seal, { key, instanceId: "" });
    acts["no seal"] = () => verifySeal({}, { key, instanceId: INSTANCE });
    const sealedAt = "2001-02-03T04:05:06.000Z";
    const sealedMs = Date.parse(sealedAt);
    for (const [name, maxAgeMs, ageMs] of [["as old", 10, 10], ["older", 10, 11], ["ahead", 10, -5000], ["far ahead", 10, -5001], ["no age", Number.NaN, 0], ["negative", -1, 0], ["no time", 1, Number.NaN]] as const) {
      acts[`age ${name}`] = () => { assertSealAge({ sealedAt }, { maxAgeMs, nowMs: sealedMs + ageMs }); };
    }
    acts["no date"] = () => { assertSealAge({ sealedAt: "then" }, { maxAgeMs: 1, nowMs: 0 }); };
    await expect(await tell(acts)).toMatchFileSnapshot("vectors/seal-messages.txt");
  });
});
