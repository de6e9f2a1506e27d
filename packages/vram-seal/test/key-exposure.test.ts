import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { inspect } from "node:util";
import { getHeapSnapshot, serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { createKeyFile, createSeal, fromKeyFile, fromWorkerToken, SealError, type SealKey, verifySeal } from "../src/index.js";
import { INSTANCE, statementFor, withDirectory } from "./support/fixtures.js";

describe("SF-4 CI-006 test_seal_key_not_logged", () => {
  it("no error, inspection or serialisation of a key from a file shows it", async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, "key");
      await createKeyFile(path);
      const shown = await everythingShown(await fromKeyFile(path), path);
      expectAbsent(shown, needlesOf(await readFile(path)));
    });
  });

  it("no error, inspection or serialisation of a key from a token shows it or the token", async () => {
    const token = randomBytes(30).toString("base64url");
    const shown = await everythingShown(await fromWorkerToken(token), "");
    const refusals = [token.slice(0, 31), `${token}\n`].map((bad) => fromWorkerToken(bad).catch((error: unknown) => inspectAll(error)));
    shown.push(...(await Promise.all(refusals)).map(String));
    const root = Buffer.from(hkdfSync("sha256", token, "vram-seal/v1", "root", 32));
    expectAbsent(shown, [...needlesOf(root), Buffer.from(token.slice(0, 31))]);
  });

  it("no heap snapshot string shows a key from a file, or what is derived from it", async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, "key");
      await createKeyFile(path);
      const key = await fromKeyFile(path);
      await verifySeal(await createSeal(statementFor(key), key), { key, instanceId: INSTANCE });
      // Needles are buffers: a string of the key made here would be found.
      const marker = `marker-${randomBytes(16).toString("hex")}`;
      const needles = needlesOf(await readFile(path));
      expect(await countInHeap([Buffer.from(marker)])).toEqual([1]);
      expect(await countInHeap(needles)).toEqual(needles.map(() => 0));
      expect(marker).toContain("marker");
    });
  });
});

/** Everything this package says about a key, in good use and in every failure. */
async function everythingShown(key: SealKey, path: string): Promise<string[]> {
  const seal = await createSeal(statementFor(key), key);
  const shown = [inspectAll(key), JSON.stringify(key), serialize({ ...key }).toString("latin1"), inspectAll(structuredClone(key))];
  if (path !== "") await chmod(path, 0o644);
  const failures = [
    () => verifySeal({ ...seal, mac: seal.statement }, { key, instanceId: INSTANCE }),
    () => verifySeal({ ...seal, mac: Buffer.alloc(32).toString("base64") }, { key, instanceId: INSTANCE }),
    () => verifySeal(seal, { key, instanceId: "" }),
    () => createSeal(statementFor(key, { digest: "" }), key),
    () => fromKeyFile(path),
    () => createKeyFile(path),
    async () => {
      await key.close();
      await key.mac(INSTANCE, Buffer.from("message"));
    },
  ];
  for (const fail of failures) {
    const outcome: unknown = await fail().catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(SealError);
    shown.push(inspectAll(outcome), JSON.stringify(outcome));
  }
  shown.push(inspectAll(key), JSON.stringify(seal));
  return shown;
}

function inspectAll(value: unknown): string {
  const everything = { showHidden: true, depth: Infinity, getters: true, maxArrayLength: null, maxStringLength: null };
  return inspect(value, everything) + inspect(value, { ...everything, customInspect: false });
}

/** Every text form of a root key and of its MAC key and id material, as bytes. */
function needlesOf(root: Buffer): Buffer[] {
  const macKey = Buffer.from(hkdfSync("sha256", root, "vram-seal/v1", `seal\0${INSTANCE}`, 32));
  const idMaterial = createHmac("sha256", root).update("key-id").digest();
  return [root, macKey, idMaterial].flatMap((secret) => [secret, hexBytes(secret), base64Bytes(secret)]);
}

function hexBytes(secret: Buffer): Buffer {
  return Buffer.from(secret.reduce<number[]>((text, byte) => [...text, nibble(byte >> 4), nibble(byte & 15)], []));
}

function nibble(value: number): number {
  return value < 10 ? 48 + value : 87 + value;
}

const BASE64 = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

/** Base64 of the first 30 bytes, made without a string: no padding. */
function base64Bytes(secret: Buffer): Buffer {
  const text: number[] = [];
  for (let offset = 0; offset < 30; offset += 3) {
    const group = secret.readUIntBE(offset, 3);
    for (const shift of [18, 12, 6, 0]) text.push(BASE64.readUInt8((group >> shift) & 63));
  }
  return Buffer.from(text);
}

function expectAbsent(shown: readonly string[], needles: readonly Buffer[]): void {
  expect(shown.length).toBeGreaterThan(10);
  const text = Buffer.from(shown.join("\n"), "latin1");
  for (const needle of needles) expect(text.includes(needle)).toBe(false);
}

/** In how many places each needle occurs in a heap snapshot of this process. */
async function countInHeap(needles: readonly Buffer[]): Promise<number[]> {
  const counts = needles.map(() => 0);
  const overlap = Math.max(...needles.map(({ length }) => length)) - 1;
  let tail = Buffer.alloc(0);
  for await (const chunk of Readable.from(getHeapSnapshot())) {
    const window = Buffer.concat([tail, chunk as Buffer]);
    for (const [index, needle] of needles.entries()) counts[index] = (counts[index] ?? 0) + occurrences(window, needle, tail.length);
    tail = window.subarray(-overlap);
  }
  return counts;
}

/** Occurrences that end past `seen`, the bytes already searched. */
function occurrences(window: Buffer, needle: Buffer, seen: number): number {
  let count = 0;
  for (let at = window.indexOf(needle); at !== -1; at = window.indexOf(needle, at + 1)) {
    if (at + needle.length > seen) count++;
  }
  return count;
}
