import { spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { chmod, link, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openAuditLog, verifyAuditLog } from "../src/index.js";
import { verified } from "./support/events.js";
import { auditErrorOf, LOG, readLog, scratch } from "./support/scratch.js";

const newDirectory = scratch();

async function finishedLog(options = {}): Promise<string> {
  const dir = join(newDirectory(), "log");
  await (await openAuditLog({ dir, ...options })).close();
  return dir;
}

describe("two writers", () => {
  it("are refused in one process, until the first closes", async () => {
    const dir = join(newDirectory(), "log");
    const first = await openAuditLog({ dir });
    const { code, details } = await auditErrorOf(openAuditLog({ dir }));
    expect([code, details["reason"]]).toEqual(["AUDIT_UNAVAILABLE", "locked"]);
    await first.append(verified("a"));
    await first.close();
    await (await openAuditLog({ dir })).close();
    expect((await verifyAuditLog({ dir })).ok).toBe(true);
  });

  it("never both get in when they come at the same moment", async () => {
    const dir = await finishedLog();
    for (let round = 0; round < 10; round += 1) {
      const opened = await Promise.allSettled(Array.from({ length: 4 }, () => openAuditLog({ dir })));
      const logs = opened.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
      expect(logs.length).toBeLessThanOrEqual(1);
      for (const log of logs) await log.close();
    }
    expect((await verifyAuditLog({ dir })).ok).toBe(true);
  });

  it("are refused across processes; the lock dies with kill -9", async () => {
    const dir = join(newDirectory(), "log");
    const script = new URL("support/loaded-writer.mjs", import.meta.url).pathname;
    const child = spawn(process.execPath, [script, dir, "0"], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    expect((await auditErrorOf(openAuditLog({ dir }))).details["reason"]).toBe("locked");
    const closed = once(child, "close");
    child.stdout.resume();
    child.kill("SIGKILL");
    await closed;
    expect((await readdir(dir)).some((name) => name.startsWith("lock."))).toBe(true);
    await (await openAuditLog({ dir })).close();
    expect((await readdir(dir)).filter((name) => name.startsWith("lock."))).toEqual([]);
  });

  it("do not keep a process alive", () => {
    const dir = join(newDirectory(), "log");
    const index = new URL("../dist/index.js", import.meta.url).href;
    const code = `const { openAuditLog } = await import(${JSON.stringify(index)}); await openAuditLog({ dir: ${JSON.stringify(dir)} });`;
    const { status, signal } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { timeout: 20_000 });
    expect([status, signal]).toEqual([0, null]);
  });
});

describe("the directory", () => {
  it("may have a path longer than a socket's name", async () => {
    const dir = join(newDirectory(), "d".repeat(200));
    const log = await openAuditLog({ dir });
    expect((await auditErrorOf(openAuditLog({ dir }))).details["reason"]).toBe("locked");
    await log.close();
  });

  it("stays the same directory when its name changes", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir });
    await rename(dir, `${dir}-moved`);
    await log.append(verified("a"));
    await log.close();
    expect(await readLog(`${dir}-moved`)).toHaveLength(3);
  });

  it.each([
    ["a missing parent", async (dir: string) => rm(join(dir, ".."), { recursive: true }), "file"],
    ["a file", async (dir: string) => writeFile(dir, ""), "file"],
    ["a symbolic link", async (dir: string) => symlink(join(dir, ".."), dir), "file"],
    ["a directory others can enter", async (dir: string) => mkdir(dir, { mode: 0o750 }), "permissions"],
  ])("is refused when it is %s", async (_, make, reason) => {
    const parent = newDirectory();
    const dir = join(parent, "sub", "log");
    await mkdir(join(parent, "sub"), { mode: 0o700 });
    await make(dir);
    const error = await auditErrorOf(openAuditLog({ dir }));
    expect([error.code, error.details["reason"]]).toEqual(["AUDIT_UNAVAILABLE", reason]);
    expect(error.message).not.toContain(parent);
    expect(error.cause).toBeUndefined();
  });

  it.each([
    ["a symbolic link", async (path: string) => symlink("/dev/null", path)],
    ["a hard link", async (path: string) => { await writeFile(`${path}.other`, "", { mode: 0o600 }); await link(`${path}.other`, path); }],
    ["readable by others", async (path: string) => { await writeFile(path, ""); await chmod(path, 0o644); }],
    ["a directory", async (path: string) => mkdir(path)],
    ["a FIFO", (path: string) => Promise.resolve(spawnSync("mkfifo", ["-m", "600", path]))],
  ])("is refused with a log that is %s", async (_, make) => {
    const dir = join(newDirectory(), "log");
    await mkdir(dir, { mode: 0o700 });
    await make(join(dir, LOG));
    expect((await auditErrorOf(openAuditLog({ dir }))).code).toBe("AUDIT_UNAVAILABLE");
  });
});

describe("the signing key", () => {
  it("is made beside the directory and used again", async () => {
    const dir = await finishedLog();
    const key = await readFile(`${dir}.key`, "utf8");
    await (await openAuditLog({ dir })).close();
    expect(await readFile(`${dir}.key`, "utf8")).toBe(key);
    expect((await readdir(dir)).filter((name) => name.includes("key"))).toEqual([]);
  });

  it("may be a file elsewhere or a KeyObject", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const path = join(newDirectory(), "elsewhere.pem");
    await writeFile(path, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    const dir = await finishedLog({ signingKey: path });
    await (await openAuditLog({ dir, signingKey: privateKey })).close();
    expect((await verifyAuditLog({ dir })).ok).toBe(true);
    expect((await auditErrorOf(openAuditLog({ dir }))).details["reason"]).toBe("key");
  });

  it("must be the one the log was begun with", async () => {
    const dir = await finishedLog();
    const { privateKey } = generateKeyPairSync("ed25519");
    expect((await auditErrorOf(openAuditLog({ dir, signingKey: privateKey }))).details["argument"]).toBe("signingKey");
    expect((await auditErrorOf(openAuditLog({ dir, origin: "other" }))).details["argument"]).toBe("origin");
    await rm(`${dir}.key`);
    expect((await auditErrorOf(openAuditLog({ dir }))).details["reason"]).toBe("key");
    expect(await readLog(dir)).toHaveLength(2);
  });

  it("must be an Ed25519 private key", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    for (const signingKey of [privateKey, publicKey, generateKeyPairSync("ed25519").publicKey]) {
      expect((await auditErrorOf(openAuditLog({ dir: join(newDirectory(), "log"), signingKey }))).code).toBe("INVALID_INPUT");
    }
  });

  it("does not lie in the log's directory", async () => {
    const dir = await finishedLog();
    await rename(`${dir}.key`, join(dir, "signing.key"));
    expect((await auditErrorOf(openAuditLog({ dir, signingKey: join(dir, "signing.key") }))).code).toBe("INVALID_INPUT");
  });

  it.each([
    ["readable by others", async (path: string) => chmod(path, 0o640)],
    ["hard-linked", async (path: string) => link(path, `${path}.copy`)],
    ["a symbolic link", async (path: string) => { await rename(path, `${path}.real`); await symlink(`${path}.real`, path); }],
    ["no key", async (path: string) => writeFile(path, "secret bytes")],
    ["in a directory others can write to", async (path: string) => chmod(join(path, ".."), 0o777)],
  ])("is refused when it is %s", async (_, damage) => {
    const dir = await finishedLog();
    await damage(`${dir}.key`);
    const error = await auditErrorOf(openAuditLog({ dir }));
    expect(error.code).toBe("AUDIT_UNAVAILABLE");
    expect(error.message).not.toContain("secret");
    expect(error.message).not.toContain("/");
  });

  it("does not overwrite the public key of another log", async () => {
    const dir = await finishedLog();
    await rm(dir, { recursive: true });
    await rm(`${dir}.key`);
    const published = await readFile(`${dir}.pub`, "utf8");
    expect((await auditErrorOf(openAuditLog({ dir }))).details["reason"]).toBe("key");
    expect(await readFile(`${dir}.pub`, "utf8")).toBe(published);
  });
});

describe("options", () => {
  it.each([
    [undefined, "options"],
    [{}, "options.dir"],
    [{ dir: "" }, "options.dir"],
    [{ dir: "a\0b" }, "options.dir"],
    [{ dir: "x", extra: 1 }, "options"],
    [{ dir: "x", origin: "a b" }, "options.origin"],
    [{ dir: "x", signingKey: 7 }, "options.signingKey"],
    [{ dir: "x", mirror: {} }, "options.mirror"],
    [{ dir: "x", checkpointEvery: { events: 0 } }, "options.checkpointEvery.events"],
    [{ dir: "x", checkpointEvery: { milliseconds: 2 ** 31 } }, "options.checkpointEvery.milliseconds"],
    [{ dir: "x", rotate: { bytes: 0 } }, "options.rotate.bytes"],
    [{ dir: "x", rotate: { milliseconds: 0.5 } }, "options.rotate.milliseconds"],
    [{ dir: "x", rotate: { segments: 1 } }, "options.rotate"],
    [{ dir: "x", retain: { bytes: 0 } }, "options.retain.bytes"],
    [{ dir: "x", retain: { milliseconds: -1 } }, "options.retain.milliseconds"],
    [{ dir: "x", retain: { segments: Infinity } }, "options.retain.segments"],
  ])("%j is refused naming %s", async (options, argument) => {
    const error = await auditErrorOf(openAuditLog(options as never));
    expect([error.code, error.details["argument"]]).toEqual(["INVALID_INPUT", argument]);
  });

  it("of a verification are checked too", async () => {
    const dir = await finishedLog();
    expect((await auditErrorOf(verifyAuditLog({ dir, publicKey: "no key" }))).code).toBe("INVALID_INPUT");
    expect((await auditErrorOf(verifyAuditLog({ dir: join(dir, "missing") }))).code).toBe("AUDIT_UNAVAILABLE");
  });
});
