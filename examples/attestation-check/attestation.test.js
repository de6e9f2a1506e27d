// @ts-check
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startWorker } from "./support/start-worker.js";

const model = fileURLToPath(new URL("model.safetensors", import.meta.url));
const verifier = fileURLToPath(new URL("verifier.js", import.meta.url));
const require = createRequire(import.meta.url);
const command = join(dirname(require.resolve("vram-residency/package.json")), require("vram-residency/package.json").bin["vram-residency"]);
const sha256 = "1690b6552e069abe1b227a26740f0f36e3591ba1b7b8afb59e490f3437d26c06";
/** As `fsverity digest` and `vram-residency digest` print it. */
const digest = "ac11f8b33cdd8764382531aa5d4b93fb19ef5856088f7539f622055449630ecc";
/** A byte of the matrix: tensors begin at a boundary of 256 bytes. */
const BYTE_OF_WEIGHT = 260;
const READ_ONLY = 1;

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {readonly string[]} args
 */
async function run(program, args) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, "close")]);
  return { exitCode, output };
}

/**
 * A worker with a key of its own, and verifiers that have the public half.
 * @param {import("node:test").TestContext} t
 */
async function place(t) {
  const folder = await mkdtemp(join(tmpdir(), "attestation-check-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [key, publicKey, saved] = [join(folder, "key.pem"), join(folder, "public.pem"), join(folder, "attestation.json")];
  const pair = generateKeyPairSync("ed25519");
  await writeFile(key, pair.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  await writeFile(publicKey, pair.publicKey.export({ type: "spki", format: "pem" }));
  const args = ["--model", model, "--sha256", sha256, "--audit", join(folder, "audit"), "--attestation-key", key, "--port", "0", "--simulate"];
  const worker = startWorker(t, args);
  const { port } = await worker.told("ready");
  const url = `http://127.0.0.1:${port}`;
  return {
    worker,
    url,
    folder,
    publicKey,
    saved,
    /** @param {Partial<{ url: string, publicKey: string, digest: string, flags: string[] }>} [changes] */
    async verify({ flags = ["--allow-simulator"], ...changes } = {}) {
      const given = { url, publicKey, digest, ...changes };
      const options = ["--url", given.url, "--public-key", given.publicKey, "--digest", given.digest, "--save", saved];
      const { exitCode, output } = await run(verifier, [...options, ...flags]);
      return { exitCode, ...JSON.parse(output) };
    },
    /** @param {string} nonce */
    verifyByCommand: (nonce) =>
      run(command, ["attest", "verify", saved, "--public-key", publicKey, "--nonce", nonce, "--allow-backend", "simulator"]),
  };
}

/**
 * Answers in the worker's place.
 * @param {import("node:test").TestContext} t
 * @param {(target: string) => Promise<string | Buffer>} answer
 */
async function impostor(t, answer) {
  const server = createServer(async ({ url = "" }, response) => response.end(await answer(url)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

/**
 * The same attestation, of another worker.
 * @param {string} envelope
 */
function edit(envelope) {
  return envelope.replace(/(?<="payload":")[^"]+/, (payload) => {
    const statement = Buffer.from(payload, "base64").toString().replace("attested-worker", "another-worker!");
    return Buffer.from(statement).toString("base64");
  });
}

test("another process with the public key alone finds what was approved, and so does the command", async (t) => {
  const { worker, verify, verifyByCommand } = await place(t);
  const { exitCode, verdict, nonce, digests } = await verify();
  assert.deepEqual([exitCode, verdict, digests], [0, "good", [digest]]);
  const checked = await verifyByCommand(nonce);
  assert.equal(checked.exitCode, 0);
  assert.ok(checked.output.includes(digest));
  worker.kill("SIGTERM");
  assert.equal(await worker.ended, 0);
});

test("an attestation of an earlier nonce is refused", async (t) => {
  const { verify, verifyByCommand, saved } = await place(t);
  await verify();
  const recorded = await readFile(saved);
  const { exitCode, reason } = await verify({ url: await impostor(t, async () => recorded) });
  assert.deepEqual([exitCode, reason], [3, "nonce"]);
  assert.equal((await verifyByCommand(randomBytes(32).toString("hex"))).exitCode, 3);
});

test("an attestation by another key, one that was edited, and one without approval are refused", async (t) => {
  const { url, folder, verify, verifyByCommand, saved } = await place(t);
  const other = join(folder, "other.pem");
  await writeFile(other, generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }));
  const edited = await impostor(t, async (target) => {
    const answer = await fetch(new URL(target, url));
    return edit(await answer.text());
  });
  const refusals = [
    await verify({ publicKey: other }),
    await verify({ url: edited }),
    await verify({ digest: "0".repeat(64) }),
    await verify({ flags: [] }),
  ];
  assert.deepEqual(
    refusals.map(({ exitCode, verdict, reason }) => [exitCode, verdict, reason]),
    ["key", "signature", "digest", "backend"].map((reason) => [3, "refused", reason]),
  );

  const { nonce } = await verify();
  await writeFile(saved, edit(await readFile(saved, "utf8")));
  assert.equal((await verifyByCommand(nonce)).exitCode, 3);
});

test("a worker whose weights were changed attests nothing, and ends with 3", async (t) => {
  const { worker, verify } = await place(t);
  const { allocations } = await worker.fault("simulatorStats");
  const { bufferId } = allocations.find((/** @type {{ access: number }} */ { access }) => access === READ_ONLY);
  await worker.fault("flipBit", { bufferId, byteOffset: BYTE_OF_WEIGHT });
  const { exitCode, verdict } = await verify();
  assert.deepEqual([exitCode, verdict], [1, "none"]);
  assert.equal(await worker.ended, 3);
});
