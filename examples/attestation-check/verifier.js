// @ts-check
// Asks a worker to attest with a fresh nonce, and checks the answer. It has the worker's public key, and neither a GPU nor any other key.
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { verifyAttestation } from "vram-seal";

const USAGE = "usage: node verifier.js --url URL --public-key FILE --digest HEX [--save FILE] [--allow-simulator]\n";
const EXIT = { good: 0, failed: 1, wrongUse: 2, refused: 3 };
const NONCE_BYTES = 32;
const ANSWER_MAX_BYTES = 1024 * 1024;
const ANSWER_MS = 10_000;
const MAX_AGE_MS = 30_000;

/** What the command line says; undefined where it says nothing that makes sense. */
function readArguments() {
  const text = /** @type {const} */ ({ type: "string" });
  try {
    const { values } = parseArgs({
      allowNegative: true,
      options: { ...{ url: text, "public-key": text, digest: text, save: text }, "allow-simulator": { type: "boolean", default: false } },
    });
    const { url, digest, save, "public-key": publicKey, "allow-simulator": allowSimulator } = values;
    if (url === undefined || digest === undefined || publicKey === undefined) return undefined;
    return { url, digest, save, allowSimulator, publicKey };
  } catch {
    return undefined;
  }
}

/** @typedef {NonNullable<ReturnType<typeof readArguments>>} Options */

/**
 * The worker's answer, which may be anything.
 * @param {string} url
 * @param {Uint8Array} nonce
 */
async function ask(url, nonce) {
  const target = new URL(`/attest?nonce=${Buffer.from(nonce).toString("hex")}`, url);
  const { status, body } = await fetch(target, { redirect: "error", signal: AbortSignal.timeout(ANSWER_MS) });
  if (status !== 200 || body === null) throw new Error(`the worker did not attest: it answered ${status}`);
  const chunks = [];
  let byteLength = 0;
  for await (const chunk of body) {
    byteLength += chunk.byteLength;
    if (byteLength > ANSWER_MAX_BYTES) throw new Error(`the answer must have at most ${ANSWER_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * What the worker's attestation vouches for.
 * @param {Options} options
 * @throws SealError `SEAL_VERIFICATION_FAILED` for an attestation that is refused; Error where there is none
 */
async function check({ url, publicKey, save, allowSimulator }) {
  const nonce = randomBytes(NONCE_BYTES);
  const answer = await ask(url, nonce);
  const statement = verifyAttestation(answer, {
    publicKey: await readFile(publicKey, "utf8"),
    nonce,
    maxAgeMs: MAX_AGE_MS,
    ...(allowSimulator && { allowBackends: ["simulator"] }),
  });
  if (save !== undefined) await writeFile(save, answer);
  return { nonce: nonce.toString("hex"), statement };
}

/**
 * By code, not by class: a package that is loaded as an ES module and as CommonJS has its classes twice.
 * @param {unknown} error
 * @returns {error is import("vram-seal").SealError}
 */
function isRefusal(error) {
  return error instanceof Error && "code" in error && error.code === "SEAL_VERIFICATION_FAILED";
}

/**
 * @param {Options} options
 * @returns {Promise<{ exitCode: number, answer: Record<string, unknown> }>}
 */
async function run(options) {
  try {
    const { nonce, statement: { subject, predicate } } = await check(options);
    const digests = subject.map(({ digest }) => digest["fsverity-sha256-4096"]);
    // A good signature says what is there, not that it is what was approved.
    if (digests.length !== 1 || digests[0] !== options.digest) return { exitCode: EXIT.refused, answer: { verdict: "refused", reason: "digest", digests } };
    return { exitCode: EXIT.good, answer: { verdict: "good", nonce, workerId: predicate.workerId, attestedAt: predicate.attestedAt, digests } };
  } catch (error) {
    if (isRefusal(error)) {
      return { exitCode: EXIT.refused, answer: { verdict: "refused", reason: error.details["reason"] } };
    }
    return { exitCode: EXIT.failed, answer: { verdict: "none", message: error instanceof Error ? error.message : "unknown" } };
  }
}

const options = readArguments();
if (options === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = EXIT.wrongUse;
} else {
  const { exitCode, answer } = await run(options);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  process.exitCode = exitCode;
}
