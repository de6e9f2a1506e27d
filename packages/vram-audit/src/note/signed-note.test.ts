import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCheckpoint, signCheckpoint } from "./checkpoint.js";
import { openNote, signNote } from "./signed-note.js";
import { sha256 } from "../tree/sha256.js";
import { formatVerifierKey, parseVerifierKey, rawPublicKey, verifierKey } from "./verifier-key.js";
import vectors from "../../test/vectors/signed-note.json" with { type: "json" };

// The example of the C2SP signed-note specification and of Go's golang.org/x/mod/sumdb/note.
const [example] = vectors.notes;
if (example === undefined) throw new Error("the vector file is empty");
const exampleKey = parseVerifierKey(example.verifierKey);
if (exampleKey === undefined) throw new Error("the vector's verifier key cannot be read");
const { privateKey: otherPrivate } = generateKeyPairSync("ed25519");
const otherKey = verifierKey("other", rawPublicKey(otherPrivate));

/** RFC 8410: an Ed25519 seed as PKCS #8. */
function fromSeed(seed: string): KeyObject {
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  return createPrivateKey({ key: Buffer.concat([prefix, Buffer.from(seed, "hex")]), format: "der", type: "pkcs8" });
}

describe("C2SP signed notes", () => {
  it("have the specification's verifier key, key id and signature", () => {
    const privateKey = fromSeed(example.seed);
    const key = verifierKey(exampleKey.name, rawPublicKey(privateKey));
    expect(formatVerifierKey(key)).toBe(example.verifierKey);
    expect(signNote(example.text, privateKey, key)).toBe(example.note);
    expect(openNote(example.note, key)).toBe(example.text);
  });

  it("give one raw public key for both halves of a key", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    expect(rawPublicKey(publicKey)).toEqual(rawPublicKey(privateKey));
  });

  it.each([" ", "\n", "x\n"])("refuse a verifier key with %j around it", (around) => {
    expect(parseVerifierKey(around + example.verifierKey)).toBeUndefined();
    expect(parseVerifierKey(example.verifierKey + around)).toBeUndefined();
  });

  it("refuse a verifier key of another algorithm or length under its right id, and a name of 256 characters", () => {
    const encodedAs = (name: string, ...bytes: readonly Uint8Array[]) => {
      const id = sha256(Buffer.concat([Buffer.from(`${name}\n\u0001`), ...bytes.slice(1)])).subarray(0, 4);
      return `${name}+${id.toString("hex")}+${Buffer.concat(bytes).toString("base64")}`;
    };
    const [ed25519, other] = [Uint8Array.of(1), Uint8Array.of(2)];
    const { bytes } = exampleKey;
    expect(encodedAs("PeterNeumann", ed25519, bytes)).toBe(example.verifierKey);
    expect(parseVerifierKey(encodedAs("a".repeat(255), ed25519, bytes))?.bytes).toEqual(bytes);
    for (const text of [
      encodedAs("a".repeat(256), ed25519, bytes),
      encodedAs("a", other, bytes),
      encodedAs("a", ed25519, bytes.subarray(1)),
      encodedAs("a", ed25519, bytes, Uint8Array.of(0)),
    ]) expect(parseVerifierKey(text)).toBeUndefined();
  });

  it.each(vectors.malformedVerifierKeys)("refuse the verifier key %j", (text) => {
    expect(parseVerifierKey(text)).toBeUndefined();
  });

  it("fail with any character changed", () => {
    fc.assert(
      fc.property(fc.nat(example.note.length - 1), fc.constantFrom("a", "\n", " ", "=", "—"), (at, replacement) => {
        fc.pre(example.note[at] !== replacement);
        const changed = example.note.slice(0, at) + replacement + example.note.slice(at + 1);
        expect(openNote(changed, exampleKey)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it("ignore other signers, and fail when this signer is missing or wrong", () => {
    const cosigned = example.note + signNote(example.text, otherPrivate, otherKey).slice(example.text.length + 1);
    expect(openNote(cosigned, exampleKey)).toBe(example.text);
    expect(openNote(cosigned, otherKey)).toBe(example.text);
    expect(openNote(example.note, otherKey)).toBeUndefined();
    const namesake = { ...otherKey, name: exampleKey.name, keyId: exampleKey.keyId };
    const impostor = signNote(example.text, otherPrivate, namesake).slice(example.text.length + 1);
    expect(openNote(example.note + impostor, exampleKey)).toBeUndefined();
  });
});

describe("a note, though well signed,", () => {
  const foreignLine = signatureLineOf(signNote(example.text, otherPrivate, otherKey));
  const mine = verifierKey("mine", rawPublicKey(otherPrivate));
  const open = (text: string) => openNote(signNote(text, otherPrivate, mine), mine);

  it.each([
    ["no dash", foreignLine.slice(2)],
    ["a hyphen for its dash", foreignLine.replace("—", "-")],
    ["no name", foreignLine.replace("other ", "")],
    ["a blank at its end", foreignLine.replace("\n", " \n")],
    ["another spelling of its base64", foreignLine.replace("\n", "=\n")],
    ["a key id alone", `— other ${Buffer.from(otherKey.keyId).toString("base64")}\n`],
    ["half a key id", `— other ${Buffer.from(otherKey.keyId.subarray(2)).toString("base64")}\n`],
  ])("is refused with a signature line that has %s", (_, line) => {
    expect(openNote(example.note + foreignLine, exampleKey)).toBe(example.text);
    expect(openNote(example.note + line, exampleKey)).toBeUndefined();
  });

  it("has at most 100 signatures", () => {
    expect(openNote(example.note + foreignLine.repeat(99), exampleKey)).toBe(example.text);
    expect(openNote(example.note + foreignLine.repeat(100), exampleKey)).toBeUndefined();
  });

  it("has at most 65536 characters", () => {
    const rest = signNote("\n", otherPrivate, mine).length;
    const longest = `${"a".repeat(65_536 - rest)}\n`;
    expect(open(longest)).toBe(longest);
    expect(open(`a${longest}`)).toBeUndefined();
  });

  it("has text of its own, in lines, without other control characters", () => {
    expect(open("\n")).toBe("\n");
    expect(openNote(`x${signNote("", otherPrivate, mine).slice(1)}`, mine)).toBeUndefined();
    for (const character of ["\0", "\t", "\r", "\u001f", "\u007f", "\u0085"]) expect(open(`a${character}b\n`)).toBeUndefined();
  });
});

describe("checkpoints", () => {
  const key = verifierKey("example.org/log", rawPublicKey(otherPrivate));
  const checkpoint = { origin: "example.org/log", size: 7, root: Buffer.alloc(32, 9) };

  it("are read as they were signed", () => {
    expect(openCheckpoint(signCheckpoint(checkpoint, otherPrivate, key), key)).toEqual(checkpoint);
  });

  it("may carry extension lines", () => {
    const text = `${checkpoint.origin}\n7\n${checkpoint.root.toString("base64")}\nextension\n`;
    expect(openCheckpoint(signNote(text, otherPrivate, key), key)).toEqual(checkpoint);
  });

  const root = checkpoint.root.toString("base64");
  it.each([`\n7\n${root}\n`, `o\n07\n${root}\n`, `o\n-1\n${root}\n`, `o\n7\n${root.slice(0, 40)}\n`, `o\n7\n${root.replace("=", "")}\n`, "o\n7\n", `o\n9007199254740993\n${root}\n`, `o\n7\n${root}\n\nextension\n`])(
    "are refused in the form %j, though signed",
    (text) => {
      expect(openCheckpoint(signNote(text, otherPrivate, key), key)).toBeUndefined();
    },
  );

  it.skipIf(!hasOpenssl())("verify with the openssl command", () => {
    const dir = mkdtempSync(join(tmpdir(), "vram-audit-"));
    try {
      const note = signCheckpoint(checkpoint, otherPrivate, key);
      const split = note.lastIndexOf("\n\n");
      const text = note.slice(0, split + 1);
      const signatures = note.slice(split + 2);
      const signature = Buffer.from(signatures.trim().split(" ")[2] ?? "", "base64").subarray(4);
      writeFileSync(join(dir, "text"), text);
      writeFileSync(join(dir, "signature"), signature);
      writeFileSync(join(dir, "key.pem"), key.key.export({ type: "spki", format: "pem" }));
      const verify = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "key.pem", "-in", "text", "-sigfile", "signature"];
      expect(execFileSync("openssl", verify, { cwd: dir, encoding: "utf8" })).toContain("Verified Successfully");
      writeFileSync(join(dir, "text"), text.replace("7", "8"));
      expect(() => execFileSync("openssl", verify, { cwd: dir, stdio: "pipe" })).toThrow();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

/** The one signature line of a note, with its newline. */
function signatureLineOf(note: string): string {
  return note.slice(note.lastIndexOf("\n\n") + 2);
}

function hasOpenssl(): boolean {
  try {
    return execFileSync("openssl", ["version"], { encoding: "utf8" }).startsWith("OpenSSL 3");
  } catch {
    return false;
  }
}
