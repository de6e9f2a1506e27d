// @ts-check
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startWorker } from "./support/start-worker.js";

const verifier = fileURLToPath(new URL("verifier.js", import.meta.url));
const require = createRequire(import.meta.url);
const { scripts } = require("./package.json");
const command = join(dirname(require.resolve("vram-residency/package.json")), require("vram-residency/package.json").bin["vram-residency"]);
/** A byte of the matrix: tensors begin at a boundary of 256 bytes. */
const BYTE_OF_WEIGHT = 260;

/**
 * A worker with a key of its own, and a folder for whoever has the public half.
 * @param {import("node:test").TestContext} t
 */
async function place(t) {
  const folder = await mkdtemp(join(tmpdir(), "attestation-check-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const at = (/** @type {string} */ name) => join(folder, name);
  const pair = generateKeyPairSync("ed25519");
  await writeFile(at("attestation.pem"), pair.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  await writeFile(at("public.pem"), pair.publicKey.export({ type: "spki", format: "pem" }));
  const worker = startWorker(t, ["--audit", at("audit"), "--attestation-key", at("attestation.pem"), "--port", "0"]);
  const { port } = await worker.told("ready");
  const url = `http://127.0.0.1:${port}`;

  /**
   * Runs a program in the folder, to its end.
   * @param {string} program
   * @param {readonly string[]} args
   */
  async function run(program, args) {
    const child = spawn(process.execPath, [program, ...args], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, "close")]);
    return { exitCode, output };
  }

  return {
    worker,
    url,
    at,
    /**
     * Sends to the worker on a connection of its own.
     * @param {string} head of a request, or of several
     */
    send(head) {
      const socket = connect(Number(port), "127.0.0.1");
      t.after(() => socket.destroy());
      socket.write(head);
      return socket;
    },
    /**
     * As `npm run verify`, but for these arguments.
     * @param {string[]} changes
     */
    async verify(...changes) {
      const [, , ...usual] = scripts.verify.split(" ");
      const { exitCode, output } = await run(verifier, [...usual, "--url", url, ...changes]);
      return { exitCode, ...JSON.parse(output) };
    },
    /**
     * As `npm run verify-file`.
     * @param {string} nonce
     */
    verifyFile(nonce) {
      const [, ...usual] = scripts["verify-file"].split(" ");
      return run(command, [...usual, "--nonce", nonce]);
    },
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
  const { worker, verify, verifyFile } = await place(t);
  const { digest } = await worker.told("ready");
  const { exitCode, verdict, nonce, digests } = await verify();
  assert.deepEqual([exitCode, verdict, digests], [0, "good", [digest]]);
  const checked = await verifyFile(nonce);
  assert.equal(checked.exitCode, 0);
  assert.ok(checked.output.includes(String(digest)));
  worker.kill("SIGTERM");
  assert.equal(await worker.ended, 0);
});

test("an attestation of an earlier nonce is refused", async (t) => {
  const { at, verify, verifyFile } = await place(t);
  await verify();
  const recorded = await readFile(at("attestation.json"));
  const { exitCode, reason } = await verify("--url", await impostor(t, async () => recorded));
  assert.deepEqual([exitCode, reason], [3, "nonce"]);
  assert.equal((await verifyFile(randomBytes(32).toString("hex"))).exitCode, 3);
});

test("an attestation by another key, one that was edited, one of other weights, and one of a simulator are refused", async (t) => {
  const { url, at, verify, verifyFile } = await place(t);
  await writeFile(at("other.pem"), generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }));
  const edited = await impostor(t, async (target) => {
    const answer = await fetch(new URL(target, url));
    return edit(await answer.text());
  });
  const refusals = [
    await verify("--public-key", at("other.pem")),
    await verify("--url", edited),
    await verify("--digest", "0".repeat(64)),
    await verify("--no-allow-simulator"),
  ];
  assert.deepEqual(
    refusals.map(({ exitCode, verdict, reason }) => [exitCode, verdict, reason]),
    ["key", "signature", "digest", "backend"].map((reason) => [3, "refused", reason]),
  );

  const { nonce } = await verify();
  await writeFile(at("attestation.json"), edit(await readFile(at("attestation.json"), "utf8")));
  assert.equal((await verifyFile(nonce)).exitCode, 3);
});

test("a worker whose weights were changed attests nothing, and ends with 3", async (t) => {
  const { worker, verify } = await place(t);
  const { bufferId } = await worker.sealed();
  await worker.fault("flipBit", { bufferId, byteOffset: BYTE_OF_WEIGHT });
  const { exitCode, verdict } = await verify();
  assert.deepEqual([exitCode, verdict], [1, "none"]);
  assert.equal(await worker.ended, 3);
});

const REQUEST = `GET /attest?nonce=${"00".repeat(16)} HTTP/1.1\r\nHost: worker\r\n`;

test("of many questions on one connection, 4 at a time are answered", async (t) => {
  const { send } = await place(t);
  const answers = await text(send(`${REQUEST}\r\n`.repeat(7) + `${REQUEST}Connection: close\r\n\r\n`));
  const statuses = [...answers.matchAll(/^HTTP\/1.1 (?<status>\d+)/gm)].map(({ groups }) => groups?.["status"]);
  assert.deepEqual(statuses, [...Array(4).fill("200"), ...Array(4).fill("503")]);
});

test("a client that leaves ends its attestation", async (t) => {
  const { worker, send } = await place(t);
  await worker.fault("setLatency", "cuLaunchKernel", 500);
  const socket = send(`${REQUEST}\r\n`);
  await once(socket, "connect");
  await delay(100);
  socket.destroy();
  assert.equal((await worker.told("not attested"))["code"], "ABORTED");
});

test("a request that is half sent does not hold up the end", async (t) => {
  const { worker, send } = await place(t);
  await once(send(REQUEST), "connect");
  // Until the head is in the worker.
  await delay(100);
  worker.kill("SIGTERM");
  assert.equal(await worker.ended, 0);
});
