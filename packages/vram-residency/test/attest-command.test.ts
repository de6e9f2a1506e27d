import { spawn } from "node:child_process";
import { once } from "node:events";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fromAttestationKeyFile, generateAttestationKey } from "vram-seal";
import type { AttestationKey } from "vram-seal";
import { describe, expect, it, onTestFinished } from "vitest";
import { PIN, itWithHsm, pkcs11, startHsm } from "../../vram-seal/test/support/hsm.js";
import { fromAttestationPkcs11 } from "../src/index.js";
import type { Residency } from "../src/index.js";
import { backendName, makeFifo, openWorkplace, patternBytes, refusal, temporaryFolder } from "./fixture.js";
import { cli, run } from "./run-command.js";

const nonce = randomBytes(32);
const allowed = backendName === "cuda" ? [] : ["--allow-backend", backendName];

interface Attested {
  readonly file: string;
  readonly folder: string;
  readonly digest: string;
  readonly residency: Residency;
  /** The arguments that accept it, but for the backend. */
  readonly pinned: readonly string[];
}

/** A worker's attestation of two shards in a file, with the public key in another. */
async function attested(makeKey: (folder: string) => AttestationKey | Promise<AttestationKey>): Promise<Attested> {
  const folder = await temporaryFolder();
  const { residency } = await openWorkplace({ attestationKey: await makeKey(folder) });
  const { shards } = await residency.sealSet([patternBytes(5000), patternBytes(10)], { setId: "set", modelRef: "hf:org/model@1" });
  const [file, key] = [join(folder, "attestation.json"), join(folder, "key.pem")];
  await writeFile(file, await residency.attest(shards, { nonce }));
  await writeFile(key, residency.attestationPublicKey);
  return { file, folder, residency, digest: shards[0]?.digest ?? "", pinned: ["--public-key", key, "--nonce", nonce.toString("hex")] };
}

async function fileKey(folder: string): Promise<AttestationKey> {
  const path = join(folder, "attestation.key");
  await writeFile(path, generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  return fromAttestationKeyFile(path);
}

describe("vram-residency attest verify", () => {
  it("VP-006 tells what a signed answer to the nonce vouches for, and exits 0", async () => {
    const { file, digest, pinned } = await attested(fileKey);
    const { code, stdout, stderr } = await run(["attest", "verify", file, ...pinned, ...allowed]);
    expect(stderr).toBe("");
    expect(stdout).toContain(`set-0: sha256:${digest}, 5000 bytes, no published digest, verified `);
    expect(stdout).toContain(`backend ${backendName},`);
    expect(stdout).toMatch(/^Good: /m);
    expect(code).toBe(0);
  });

  it("VP-006 prints the statement as one JSON value", async () => {
    const { file, digest, pinned } = await attested(fileKey);
    const { code, stdout } = await run(["attest", "verify", "--json", file, ...pinned, ...allowed]);
    expect(JSON.parse(stdout)).toMatchObject({
      subject: [{ name: "set-0", digest: { "fsverity-sha256-4096": digest } }, { name: "set-1" }],
      predicate: { nonce: nonce.toString("base64"), signingKey: "file", device: { backend: backendName } },
    });
    expect(code).toBe(0);
  });

  it("VP-006 exits 3 with the step that refuses: an edited byte, another nonce or key, age, backend, a key of the process", async () => {
    const { file, folder, pinned } = await attested(fileKey);
    const own = await attested(() => generateAttestationKey());
    const edited = join(folder, "edited.json");
    await writeFile(edited, `${await readFile(file, "utf8")}\n`);
    const other = ["--nonce", "0".repeat(32)];
    const cases: [string, string[]][] = [
      ["shape", [edited, ...pinned, ...allowed]],
      ["nonce", [file, ...pinned, ...other, ...allowed]],
      ["key", [file, ...pinned, ...own.pinned.slice(0, 2), ...allowed]],
      ["age", [file, ...pinned, ...allowed, "--max-age", "0"]],
      ["process-key", [own.file, ...own.pinned, ...allowed]],
      ...(allowed.length === 0 ? [] : [["backend", [file, ...pinned]] as [string, string[]]]),
    ];
    for (const [reason, args] of cases) {
      const { code, stdout } = await run(["attest", "verify", "--json", ...args]);
      expect(JSON.parse(stdout), reason).toMatchObject({ error: { code: "SEAL_VERIFICATION_FAILED", details: { reason } } });
      expect(code, reason).toBe(3);
    }
    expect((await run(["attest", "verify", own.file, ...own.pinned, ...allowed, "--allow-process-key"])).code).toBe(0);
  });

  itWithHsm("VP-006 accepts a pinned key in a token; without the token nothing is signed, and the worker goes on", async () => {
    const token = startHsm("vram");
    onTestFinished(() => {
      token.remove();
    });
    token.addKeyPairs({ curve: "ed25519", publicLabel: "attestation", privateLabel: "attestation" });
    const place = { library: token.library, token: "vram", pin: PIN, key: "attestation", module: pkcs11() };
    const { file, pinned, residency } = await attested(() => fromAttestationPkcs11(place));
    const { code, stdout } = await run(["attest", "verify", file, ...pinned, ...allowed]);
    expect(stdout).toContain(" by worker worker-test, with a key in a token.\n");
    expect(code).toBe(0);
    const shard = await residency.seal(patternBytes(10));
    token.pull();
    expect(await refusal(residency.attest(shard, { nonce }))).toMatchObject({ code: "KEY_UNAVAILABLE", kind: "retriable", details: { reason: "token" } });
    expect(residency.state).toBe("ready");
  });

  it("exits 1 for files it cannot read, without their paths, and for what is no key", async () => {
    const { file, folder, pinned } = await attested(fileKey);
    const missing = join(folder, "missing");
    for (const [args, said] of [
      [[missing, ...pinned], "INVALID_INPUT: file must name a readable file (ENOENT)\n"],
      [[folder, ...pinned], "INVALID_INPUT: file must name a readable file (EISDIR)\n"],
      [[file, ...pinned, "--public-key", missing], "INVALID_INPUT: --public-key must name a readable file (ENOENT)\n"],
      [[file, ...pinned, "--public-key", file], "INVALID_INPUT: publicKey must be an Ed25519 public key, as a KeyObject or in PEM\n"],
    ] as const) {
      const { code, stderr } = await run(["attest", "verify", ...args]);
      expect(stderr).toBe(said);
      expect(code).toBe(1);
    }
  });

  it("waits for a pipe that nobody writes to no longer than until Ctrl-C", async () => {
    const pipe = makeFifo(await temporaryFolder());
    const child = spawn(process.execPath, [cli, "attest", "verify", pipe, "--public-key", pipe, "--nonce", "0".repeat(32)], { stdio: "ignore" });
    const ended = once(child, "close");
    await delay(2000);
    expect(child.exitCode).toBeNull();
    child.kill("SIGINT");
    expect(await ended).toEqual([null, "SIGINT"]);
  });

  it.each([
    ["a nonce that is too short", ["--nonce", "00"]],
    ["a nonce that is no hex", ["--nonce", "g".repeat(32)]],
    ["a negative age", ["--nonce", "0".repeat(32), "--max-age", "-1"]],
    ["an unknown backend", ["--nonce", "0".repeat(32), "--allow-backend", "cpu"]],
  ])("exits 2 for %s", async (_, args) => {
    expect((await run(["attest", "verify", "file", "--public-key", "key", ...args])).code).toBe(2);
  });
});
