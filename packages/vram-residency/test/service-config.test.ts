import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readConfigFile } from "../src/service/config-file.js";
import { parseConfig } from "../src/service/config.js";
import { isLoopback, parseListen } from "../src/service/listen-address.js";
import { makeFifo, patternBytes, refusal, temporaryFolder } from "./fixture.js";
import { run } from "./run-command.js";

const GOOD = { workerId: "worker-7", sealKey: { ephemeral: true }, audit: { dir: "audit" }, models: [{ path: "model.bin" }] };

const problemOf = (config: unknown): Promise<string> => refusal(new Promise((resolve) => { resolve(parseConfig(config, "/etc/vram")); })).then(({ code, message }) => `${code}: ${message}`);

async function written(content: string | Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), "hold.json");
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

describe("a hold configuration", () => {
  it("has defaults, and paths relative to its folder", () => {
    expect(parseConfig({ ...GOOD, serve: { listen: "[::1]:9464" } }, "/etc/vram")).toMatchObject({
      audit: { dir: "/etc/vram/audit", anchors: [] },
      models: [{ path: "/etc/vram/model.bin" }],
      devices: [0],
      scrub: { periodSeconds: 3600 },
      serve: { listen: { host: "::1", port: 9464 } },
      lingerSeconds: 60,
    });
    expect(parseConfig({ ...GOOD, scrub: false }, "/").scrub).toBe(false);
  });

  it.each([
    ["an unknown field with its likely name", { ...GOOD, scurb: {} }, 'config must not have the field "scurb"; did you mean "scrub"?'],
    ["a mistyped field before one that is missing", { ...GOOD, audit: { dri: "x" } }, 'config.audit must not have the field "dri"; did you mean "dir"?'],
    ["an unknown field of a scrub", { ...GOOD, scrub: { periodSecond: 1 } }, 'config.scrub must not have the field "periodSecond"; did you mean "periodSeconds"?'],
    ["an unknown field of a model", { ...GOOD, models: [{ path: "x", expects: {} }] }, 'config.models.0 must not have the field "expects"; did you mean "expect"?'],
    ["a missing field", { ...GOOD, workerId: undefined }, "config.workerId must be a string"],
    ["two seal keys", { ...GOOD, sealKey: { file: "a", ephemeral: true } }, "config.sealKey must have exactly one of file, credential and ephemeral"],
    ["no model", { ...GOOD, models: [] }, "config.models must have at least one model"],
    ["a set's id for a file", { ...GOOD, models: [{ path: "x", setId: "s" }] }, "config.models.0.setId must be absent for a model of one file; name a shardId"],
    ["a signature without its key", { ...GOOD, models: [{ path: "x", expect: { modelSignature: "s" } }] }, "config.models.0.expect must have modelSignature and publicKey together"],
    ["a policy that is none", { ...GOOD, policy: { requireEc: true } }, "policy.requireEc must be one of "],
    ["an address that is none", { ...GOOD, serve: { listen: "localhost" } }, "config.serve.listen must be an address as "],
    ["beyond loopback without a token", { ...GOOD, serve: { listen: "0.0.0.0:9464" } }, "config.serve.token must be named where the service listens beyond loopback"],
    ["an anchor of two kinds", { ...GOOD, audit: { dir: "a", anchors: [{ directory: "d", http: "https://w" }] } }, "config.audit.anchors.0 must have exactly one of directory, command and http"],
    ["no object", 7, "config must be an object"],
  ])("refuses %s, and names it", async (_, config, expected) => {
    const problem = await problemOf(config);
    expect(problem.startsWith(`INVALID_CONFIG: ${expected}`), problem).toBe(true);
  });

  it("repeats no field that may be more than a slip of the pen", async () => {
    expect(await problemOf({ ...GOOD, "secret token \n": 1 })).not.toContain("secret");
  });

  it.each([
    ["a byte order mark", Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from("{}")]), "begin without a byte order mark"],
    ["no JSON", "{ workerId }", "have JSON with quoted keys"],
    ["a field twice", '{ "workerId": "a", "workerId": "b" }', "have JSON without duplicate keys"],
    ["more than its JSON", "{} {}", "have nothing after its JSON"],
    ["no text", Uint8Array.of(0x7b, 0xff), "be valid UTF-8"],
    ["too much", Buffer.alloc(1024 * 1024 + 1, 0x20), "be a file of at most 1048576 bytes"],
    ["lists in lists", "[".repeat(100), "have JSON of at most 32 levels"],
  ])("refuses a file of %s", async (_, content, expected) => {
    expect((await refusal(readConfigFile(await written(content)))).message).toBe(`config must ${expected}`);
  });

  it("refuses a file that is missing, a pipe, a folder, or one that others can write to", async () => {
    const folder = await temporaryFolder();
    const loose = await written(JSON.stringify(GOOD));
    chmodSync(loose, 0o620);
    const messages: string[] = [];
    for (const path of [join(folder, "none"), makeFifo(folder), folder, loose]) messages.push((await refusal(readConfigFile(path))).message);
    expect(messages).toEqual([
      "config must be a readable file (ENOENT)",
      "config must be a regular file",
      "config must be a regular file",
      "config must be a file that only its owner can write to (chmod go-w)",
    ]);
  });

  it("takes the example that is shipped", () => {
    const example = fileURLToPath(new URL("../../../deploy/config.example.json", import.meta.url));
    expect(parseConfig(JSON.parse(readFileSync(example, "utf8")), "/etc/vram-residency")).toMatchObject({ serve: { listen: { port: 9464 } } });
  });

  it.each([
    ["127.0.0.1:9464", true],
    ["unix:/run/vram/hold.sock", true],
    ["[::1]:0", true],
    ["0.0.0.0:80", false],
    ["[::]:80", false],
    ["[::ffff:127.0.0.1]:80", false],
  ])("%s is loopback: %s", (text, expected) => {
    const listen = parseListen(text);
    expect(listen !== undefined && isLoopback(listen)).toBe(expected);
  });

  it.each(["", "127.0.0.1", "localhost:1", "1.2.3.4:65536", "256.1.1.1:1", "unix:relative", `unix:/${"x".repeat(107)}`])("%j is no address", (text) => {
    expect(parseListen(text)).toBeUndefined();
  });
});

describe("vram-residency hold --check", () => {
  it("tells what it would hold, writes nothing, and exits 0", async () => {
    const path = await written(JSON.stringify({ ...GOOD, sealKey: { file: "keys/seal.key" }, serve: { listen: "127.0.0.1:9464" } }));
    const folder = join(path, "..");
    mkdirSync(join(folder, "keys"), { mode: 0o700 });
    await run(["key", "generate", join(folder, "keys/seal.key")]);
    writeFileSync(join(folder, "model.bin"), patternBytes(9000));
    const { code, stdout, stderr } = await run(["hold", "--config", path, "--check"]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^ok +sealKey: key [0-9a-f]{16}\n/);
    expect(stdout).toContain("models.0: model: 1 files, 9000 bytes, nothing approved");
    expect(stdout).toContain("The configuration is good.");
    expect(code).toBe(0);
    expect(() => statSync(join(folder, "audit"))).toThrow("ENOENT");
  });

  it("names everything that is missing, without a path, and exits 1", async () => {
    const path = await written(JSON.stringify({ ...GOOD, sealKey: { file: "seal.key" }, models: [{ path: "a.bin" }, { path: "b.index.json" }] }));
    mkdirSync(join(path, "../audit"), { mode: 0o755 });
    const { code, stdout } = await run(["hold", "--config", path, "--check", "--json"]);
    const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: { field: string; ok: boolean; detail: string }[] };
    expect(ok).toBe(false);
    expect(findings.filter((each) => !each.ok).map(({ field }) => field)).toEqual(["sealKey", "audit.dir", "models.0", "models.1"]);
    expect(stdout).not.toContain(join(path, ".."));
    expect(code).toBe(1);
  });

  it("exits 2 for a configuration that is wrong, and for arguments beside it", async () => {
    const wrong = await run(["hold", "--config", await written(JSON.stringify({ ...GOOD, sealKeys: {} })), "--check"]);
    expect(wrong.stderr).toBe('INVALID_CONFIG: config must not have the field "sealKeys"; did you mean "sealKey"?\n');
    const beside = await run(["hold", "--config", "hold.json", "model.bin"]);
    expect(beside.stderr).toContain("with --config, the file alone says what to hold");
    expect([wrong.code, beside.code]).toEqual([2, 2]);
  });
});
