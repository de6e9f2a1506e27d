import { spawnSync } from "node:child_process";
import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";

const program = fileURLToPath(new URL("programs/everything.mjs", import.meta.url));
const ADDRESS = /0x[0-9a-f]{6,}|(?<![0-9a-f.-])[0-9]{15,20}(?![0-9a-f])/i;
/**
 * Texts that are as long as an address and have a meaning: files of stack traces, sequence numbers, names of keys by 16 hexadecimal digits, and roots,
 * public keys, MACs and signatures in base64, which spell whatever chance wants.
 */
const NAMED = /file:\/\/.*$|sequence\W+\d{16}|keyId\W+[0-9a-f]{16}|vram-audit\/[0-9a-f]{16}|[A-Za-z0-9+/]{43,}={0,2}/gm;

/** Everything that the run wrote, by where: its output, its audit trails, its heap's strings. */
interface Written {
  readonly output: Buffer;
  readonly trails: Buffer;
  readonly heap: Buffer;
}

let written: Written;
const root = randomBytes(32);
const token = randomBytes(30).toString("base64url");
const weights = Buffer.concat([randomBytes(64), Buffer.alloc(4000), randomBytes(9000)]);

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "vram-leak-"));
  try {
    const [keyFile, model] = [join(folder, "key"), join(folder, "model.bin")];
    await writeFile(keyFile, root, { mode: 0o600 });
    await writeFile(model, weights);
    await writeFile(join(folder, "token"), token, { mode: 0o600 });
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, keyFile, model, folder], { maxBuffer: 1 << 30 });
    expect(status, stderr.toString().slice(-2000)).toBe(0);
    const trails = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const files = trails.flatMap(({ name }) => readdirSync(join(folder, name)).map((file) => readFileSync(join(folder, name, file))));
    written = { output: Buffer.concat([stdout, stderr]), trails: Buffer.concat(files), heap: readFileSync(join(folder, "heap.heapsnapshot")) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 180_000);

/** The forms in which a secret could have been written. */
function formsOf(secret: Buffer): Buffer[] {
  const texts = [secret.toString("hex"), secret.toString("hex").toUpperCase(), secret.toString("base64url"), [...secret].join(","), [...secret].join(", ")];
  // Base64 of bytes in the middle of others begins at any of three places.
  const shifted = [0, 1, 2].map((shift) => secret.subarray(shift, shift + 3 * Math.floor((secret.length - shift) / 3)).toString("base64"));
  return [secret, ...[...texts, ...shifted].map((text) => Buffer.from(text))];
}

function expectAbsent(secrets: readonly Buffer[], places: readonly (keyof Written)[] = ["output", "trails", "heap"]): void {
  for (const form of secrets.flatMap(formsOf)) {
    for (const place of places) expect(written[place].includes(form), place).toBe(false);
  }
}

it("PL-5 MS-001 no address is in anything that a full run with every error writes", () => {
  const [text, trails] = [written.output, written.trails].map((bytes) => bytes.toString("latin1").replaceAll(NAMED, ""));
  expect(text?.slice(-200)).toMatch(/runs: \d{2,}, an address was said: false/);
  expect("at 0x7f01deadbeef").toMatch(ADDRESS);
  expect(ADDRESS.exec(trails ?? "")?.[0]).toBeUndefined();
  expect(ADDRESS.exec(text ?? "")?.[0]).toBeUndefined();
});

it("PL-5 the run met every error there is to be told, and the trail's copies", () => {
  const text = written.output.toString("latin1");
  for (const code of ["SEAL_VERIFICATION_FAILED", "INTEGRITY_VIOLATION", "POLICY_VIOLATION", "CUDA_FAILED", "CUDA_ALLOCATION_FAILED", "DEVICE_LOST", "STOPPED", "INVALID_INPUT", "DRIVER_UNAVAILABLE", "KEY_UNAVAILABLE"]) {
    expect(text.includes(code), code).toBe(true);
  }
  expect(text.includes('"level":"error"')).toBe(true);
  expect(written.trails.includes("vram.seal.verification_failed")).toBe(true);
  expect(written.heap.includes("SEAL_VERIFICATION_FAILED")).toBe(true);
});

it("SF-4 CI-006 test_seal_key_not_logged no form of the key, nor of what is derived from it, is in output, trail or heap strings", () => {
  expectAbsent([root, Buffer.from(hkdfSync("sha256", root, "vram-seal/v1", "root", 32)), createHmac("sha256", root).update("key-id").digest()]);
});

it("SF-4 CI-006 test_seal_key_not_logged neither the worker's token nor its key is in output or trail", () => {
  const derived = Buffer.from(hkdfSync("sha256", token, "vram-seal/v1", "root", 32));
  // The token is a string of its owner's, who read it: the heap has it until it is collected.
  expectAbsent([Buffer.from(token), derived], ["output", "trails"]);
  expectAbsent([derived], ["heap"]);
});

it("WORKER-4152 no byte of the weights is in output, trail or heap strings", () => {
  expectAbsent([weights.subarray(0, 32), weights.subarray(32, 64), weights.subarray(5000, 5032)]);
});
