import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { chmod, link, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Anchor, type AuditLog, commandAnchor, directoryAnchor, httpAnchor, openAuditLog, readAnchor, type SignedCheckpoint, verifyAuditLog } from "../src/index.js";
import { verified, violated } from "./support/events.js";
import { sampleNotes } from "./support/sample-log.js";
import { auditErrorOf, CHECKPOINTS, parseLines, readLog, scratch, writeLog } from "./support/scratch.js";

const newDirectory = scratch();

/** An anchor that does what the test says, and remembers what it was given. */
class TestAnchor implements Anchor {
  readonly name = "test";
  readonly given: SignedCheckpoint[] = [];
  answer: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();

  constructor(
    readonly required = false,
    readonly timeoutMs = 5000,
  ) {}

  keep(checkpoint: SignedCheckpoint, signal: AbortSignal): Promise<void> {
    this.given.push(checkpoint);
    return this.answer(signal);
  }
}

async function open(anchors: readonly Anchor[], dir = join(newDirectory(), "log")): Promise<{ dir: string; log: AuditLog }> {
  const log = await openAuditLog({ dir, anchors, checkpointEvery: { milliseconds: 50 } });
  return { dir, log };
}

async function eventTypes(dir: string): Promise<string[]> {
  return parseLines(await readLog(dir)).map(({ type }) => type);
}

function signedBy(size: number, note = `example.org/log\n${size}\n${Buffer.alloc(32, 7).toString("base64")}\n\n— example.org/log AAAA\n`): SignedCheckpoint {
  return { origin: "example.org/log", size, root: Buffer.alloc(32, 7), note };
}

const forever = () => new Promise<void>(() => undefined);
const never = new AbortController().signal;
const failing = (code: string) => () => Promise.reject(Object.assign(new Error("/secret/path"), { code }));

describe("an anchor of a log", () => {
  it("gets the checkpoints as they are in the log, the last one before close() resolves", async () => {
    const anchor = new TestAnchor();
    const { dir, log } = await open([anchor]);
    await vi.waitFor(() => { expect(log.anchors).toEqual([{ name: "test", keptSize: 1, failures: 0, lastFailure: null }]); });
    await log.append(violated());
    await log.close();
    expect(log.anchors).toEqual([{ name: "test", keptSize: 3, failures: 0, lastFailure: null }]);
    expect(await sampleNotes(dir)).toEqual(anchor.given.map(({ note }) => note));
  });

  it("delays no event, and of the checkpoints that come meanwhile gets the newest", async () => {
    const anchor = new TestAnchor();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    anchor.answer = () => gate;
    const { log } = await open([anchor]);
    await vi.waitFor(() => { expect(anchor.given).toHaveLength(1); });
    for (let index = 0; index < 5; index += 1) await log.append(violated());
    expect(anchor.given.map(({ size }) => size)).toEqual([1]);
    release();
    await vi.waitFor(() => { expect(anchor.given.map(({ size }) => size)).toEqual([1, 6]); });
    await log.close();
  });

  it("begins when who waits for the log has been answered", async () => {
    const anchor = new TestAnchor();
    const { log } = await open([anchor]);
    await vi.waitFor(() => { expect(log.anchors[0]?.keptSize).toBe(1); });
    const order: string[] = [];
    anchor.answer = () => { order.push("anchor"); return Promise.resolve(); };
    await log.append(violated()).then(() => order.push("answer"));
    await log.close();
    expect(order.slice(0, 2)).toEqual(["answer", "anchor"]);
  });

  it("that fails leaves the log open, which says so once, and once more when the anchor is back", async () => {
    const anchor = new TestAnchor();
    anchor.answer = failing("ENOSPC");
    const { dir, log } = await open([anchor]);
    await vi.waitFor(() => { expect(log.anchors[0]?.failures).toBeGreaterThan(1); });
    expect(log.anchors[0]).toMatchObject({ keptSize: 0, lastFailure: "ENOSPC" });
    anchor.answer = () => Promise.resolve();
    await log.append(violated());
    await vi.waitFor(() => { expect(log.anchors[0]?.lastFailure).toBeNull(); });
    await log.close();
    expect(log.state).toBe("closed");
    const told = parseLines(await readLog(dir)).filter(({ type }) => type.startsWith("vram.audit.anchor"));
    expect(told.map(({ type, data }) => [type, data["anchor"], data["code"]])).toEqual([
      ["vram.audit.anchor_failed", "test", "ENOSPC"],
      ["vram.audit.anchor_restored", "test", undefined],
    ]);
    expect((await verifyAuditLog({ dir })).problems).toEqual([]);
  });

  it("that fails at the end leaves a good log, closed", async () => {
    const anchor = new TestAnchor();
    const { dir, log } = await open([anchor]);
    await vi.waitFor(() => { expect(log.anchors[0]?.keptSize).toBe(1); });
    anchor.answer = failing("EIO");
    await log.close();
    expect(log.anchors[0]).toMatchObject({ keptSize: 1, lastFailure: "EIO" });
    expect((await eventTypes(dir)).at(-1)).toBe("vram.audit.closed");
  });

  it("that never answers has failed when its time is up, gets no checkpoint beside, and does not keep close() for longer", async () => {
    const anchor = new TestAnchor(false, 60);
    anchor.answer = forever;
    const { log } = await open([anchor]);
    await vi.waitFor(() => { expect(log.anchors[0]?.lastFailure).toBe("TIMEOUT"); });
    await log.append(violated());
    const before = performance.now();
    await log.close();
    expect(performance.now() - before).toBeLessThan(2000);
    expect(anchor.given).toHaveLength(1);
  });

  it("is told when its time is up", async () => {
    const anchor = new TestAnchor(false, 30);
    let told = false;
    anchor.answer = (signal) => new Promise((_, reject) => { signal.addEventListener("abort", () => { told = true; reject(new Error("late")); }); });
    const { log } = await open([anchor]);
    await vi.waitFor(() => { expect(told).toBe(true); });
    await log.close();
    expect(log.anchors[0]?.lastFailure).toBe("TIMEOUT");
  });

  it("that is required fails the log, without what the anchor said", async () => {
    const anchor = new TestAnchor(true);
    const { dir, log } = await open([anchor]);
    anchor.answer = failing("ENOSPC");
    await log.append(violated());
    await vi.waitFor(() => { expect(log.state).toBe("failed"); });
    const error = await auditErrorOf(log.append(verified("a")));
    expect(error).toMatchObject({ code: "AUDIT_UNAVAILABLE", details: { reason: "anchor", anchor: "test", code: "ENOSPC" } });
    expect(error.message).not.toContain("secret");
    expect(log.signal.reason).toBe(error);
    await log.close();
    await (await openAuditLog({ dir })).close();
    expect((await verifyAuditLog({ dir })).ok).toBe(true);
  });

  it("that is required and fails at the end makes close() reject, and lets the next writer in", async () => {
    const anchor = new TestAnchor(true);
    const { dir, log } = await open([anchor]);
    await vi.waitFor(() => { expect(log.anchors[0]?.keptSize).toBe(1); });
    anchor.answer = failing("EIO");
    expect((await auditErrorOf(log.close())).details["reason"]).toBe("anchor");
    expect((await verifyAuditLog({ dir })).closed).toBe(true);
    await (await openAuditLog({ dir })).close();
  });

  it.each([
    [{}, "options.anchors.0"],
    [{ name: "a" }, "options.anchors.0"],
    [{ name: "a\n", keep: forever }, "options.anchors.0"],
    [{ name: "a", keep: forever, timeoutMs: 0 }, "options.anchors.0"],
    [{ name: "a", keep: forever, required: 1 }, "options.anchors.0"],
  ])("%j is refused", async (given, argument) => {
    const error = await auditErrorOf(openAuditLog({ dir: join(newDirectory(), "log"), anchors: [given as never] }));
    expect([error.code, error.details["argument"]]).toEqual(["INVALID_INPUT", argument]);
  });

  it("has a name of its own", async () => {
    const anchors = [new TestAnchor(), new TestAnchor()];
    expect((await auditErrorOf(openAuditLog({ dir: join(newDirectory(), "log"), anchors }))).details["argument"]).toBe("options.anchors");
  });
});

describe("a directory as anchor", () => {
  const ANCHOR = "audit-v1.checkpoint";

  it("has the newest checkpoint, for its user alone, and nothing else", async () => {
    const elsewhere = join(newDirectory(), "anchor");
    const { dir, log } = await open([directoryAnchor(elsewhere)]);
    await log.append(violated());
    await log.close();
    const [newest] = (await sampleNotes(dir)).slice(-1);
    expect(await readdir(elsewhere)).toEqual([ANCHOR]);
    for (const path of [elsewhere, join(elsewhere, ANCHOR)]) expect(await readAnchor(path)).toBe(newest);
    expect([(await stat(elsewhere)).mode & 0o777, (await stat(join(elsewhere, ANCHOR))).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  it("shows a tail that was cut with the log's own checkpoints, to a verifier and to the next writer", async () => {
    const elsewhere = join(newDirectory(), "anchor");
    const { dir, log } = await open([directoryAnchor(elsewhere)]);
    await log.append(violated());
    await log.close();
    const [lines, notes] = [await readLog(dir), await sampleNotes(dir)];
    await writeFile(join(dir, CHECKPOINTS), notes.slice(0, -1).join(""));
    await writeLog(dir, lines.slice(0, -1));
    expect((await verifyAuditLog({ dir })).ok).toBe(true);
    const { ok, problems } = await verifyAuditLog({ dir, checkpoint: await readAnchor(elsewhere) });
    expect([ok, problems[0]?.line, problems[0]?.reason]).toEqual([false, lines.length, "truncated"]);
    const opening = openAuditLog({ dir, anchors: [new TestAnchor(), directoryAnchor(elsewhere)] });
    expect((await auditErrorOf(opening)).details).toEqual({ reason: "damaged", line: lines.length, problem: "truncated" });
    expect(await readAnchor(elsewhere)).toBe(notes.at(-1));
  });

  it("shows a log that was begun anew under the same key", async () => {
    const elsewhere = join(newDirectory(), "anchor");
    const { dir, log } = await open([directoryAnchor(elsewhere)]);
    await log.close();
    await rm(dir, { recursive: true });
    const opening = openAuditLog({ dir, anchors: [directoryAnchor(elsewhere)] });
    expect((await auditErrorOf(opening)).details).toMatchObject({ reason: "damaged", line: 1, problem: "truncated" });
  });

  it("that cannot be read keeps the log from opening if it is required, and else shows as failing", async () => {
    const elsewhere = join(newDirectory(), "anchor");
    await writeFile(elsewhere, "");
    const dir = join(newDirectory(), "log");
    const opening = openAuditLog({ dir, anchors: [directoryAnchor(elsewhere, { required: true })] });
    expect((await auditErrorOf(opening)).details).toMatchObject({ reason: "file", errno: "ENOTDIR" });
    const { log } = await open([directoryAnchor(elsewhere)], dir);
    await log.close();
    expect(log.anchors[0]).toMatchObject({ keptSize: 0, lastFailure: "ENOTDIR" });
  });

  it.each([
    ["fewer lines", signedBy(6), "rollback"],
    ["another log", { ...signedBy(8), origin: "example.org/other" }, "origin"],
    ["another history", { ...signedBy(7), root: Buffer.alloc(32) }, "fork"],
  ] as const)("refuses a checkpoint of %s and keeps what it has", async (_, checkpoint, reason) => {
    const dir = join(newDirectory(), "anchor");
    const anchor = directoryAnchor(dir);
    await anchor.keep(signedBy(7), never);
    const before = await readAnchor(dir);
    expect((await auditErrorOf(anchor.keep(checkpoint, never))).details["reason"]).toBe(reason);
    expect(await readAnchor(dir)).toBe(before);
    await anchor.keep(signedBy(7), never);
    await anchor.keep(signedBy(8), never);
    expect(await readAnchor(dir)).toBe(signedBy(8).note);
  });

  it("goes on over what a crash left half-written, and not over a file that holds no checkpoint", async () => {
    const dir = join(newDirectory(), "anchor");
    const anchor = directoryAnchor(dir);
    await anchor.keep(signedBy(7), never);
    await writeFile(join(dir, `${ANCHOR}.next`), "x".repeat(1000), { mode: 0o600 });
    await anchor.keep(signedBy(8), never);
    expect(await readAnchor(dir)).toBe(signedBy(8).note);
    await writeFile(join(dir, ANCHOR), "example.org/log\n");
    expect((await auditErrorOf(anchor.keep(signedBy(9), never))).details["reason"]).toBe("damaged");
  });

  it.each([
    ["a directory others can enter", async (dir: string) => mkdir(dir, { mode: 0o750 })],
    ["a symbolic link", async (dir: string) => symlink(join(dir, ".."), dir)],
    ["a file", async (dir: string) => writeFile(dir, "")],
    ["a file others can read in it", async (dir: string) => { await mkdir(dir, { mode: 0o700 }); await writeFile(join(dir, ANCHOR), ""); await chmod(join(dir, ANCHOR), 0o644); }],
    ["a linked file in it", async (dir: string) => { await mkdir(dir, { mode: 0o700 }); await writeFile(`${dir}.other`, "", { mode: 0o600 }); await link(`${dir}.other`, join(dir, ANCHOR)); }],
    ["a link for its next file", async (dir: string) => { await mkdir(dir, { mode: 0o700 }); await symlink(`${dir}.other`, join(dir, `${ANCHOR}.next`)); }],
  ])("is refused when there is %s", async (_, make) => {
    const dir = join(newDirectory(), "anchor");
    await make(dir);
    const error = await auditErrorOf(directoryAnchor(dir).keep(signedBy(1), never));
    expect(error.code).toBe("AUDIT_UNAVAILABLE");
    expect(error.message).not.toContain("/");
  });
});

describe("a command as anchor", () => {
  it("gets the checkpoint on its standard input, and an environment without secrets", async () => {
    const file = join(newDirectory(), "kept");
    const { dir, log } = await open([commandAnchor(["sh", "-c", 'cat > "$0"; env > "$0.env"', file])]);
    await log.close();
    expect(await readFile(file, "utf8")).toBe((await sampleNotes(dir)).at(-1));
    const names = (await readFile(`${file}.env`, "utf8")).split("\n").map((line) => line.split("=")[0]);
    expect(names.filter((name) => !["PATH", "HOME", "PWD", "OLDPWD", "SHLVL", "_", ""].includes(name ?? ""))).toEqual([]);
  });

  it.each([
    [["sh", "-c", "exit 3"], "exit"],
    [["sh", "-c", "kill -9 $$"], "exit"],
    [["/nowhere/anchor"], "command"],
  ] as const)("%j has not kept it", async (command, reason) => {
    const error = await auditErrorOf(commandAnchor(command).keep(signedBy(1, "x".repeat(1_000_000)), never));
    expect([error.code, error.details["reason"]]).toEqual(["AUDIT_UNAVAILABLE", reason]);
    expect(error.message).not.toContain("/");
  });

  it("is no line for a shell", async () => {
    const file = join(newDirectory(), "made");
    await commandAnchor(["true", `; touch ${file}`]).keep(signedBy(1), never);
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });

  it("is killed when its time is up", async () => {
    const file = join(newDirectory(), "late");
    const controller = new AbortController();
    const kept = commandAnchor(["sh", "-c", 'echo $$ > "$0"; exec sleep 20', file]).keep(signedBy(1), controller.signal);
    const pid = await vi.waitFor(async () => {
      const text = (await readFile(file, "utf8")).trim();
      expect(text).not.toBe("");
      return text;
    });
    controller.abort();
    expect((await auditErrorOf(kept)).details["reason"]).toBe("command");
    await vi.waitFor(async () => { await expect(readFile(`/proc/${pid}/cmdline`)).rejects.toThrow("ENOENT"); });
  });

  it.each([[[]], [[""]], [["a\0b"]], ["true"], [undefined]])("%j is refused", (command) => {
    expect(() => commandAnchor(command as never)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });
});

describe("a witness as anchor", () => {
  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => { server.close(); server.closeAllConnections(); });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/anchor`;
  }

  it("gets the checkpoint as the body of a POST", async () => {
    const bodies: string[] = [];
    const url = await serve((request, response) => {
      request.setEncoding("utf8").on("data", (text: string) => { bodies.push(`${request.method ?? ""} ${text}`); });
      request.on("end", () => response.writeHead(204).end());
    });
    const { dir, log } = await open([httpAnchor(url)]);
    await log.close();
    expect(bodies.at(-1)).toBe(`POST ${(await sampleNotes(dir)).at(-1) ?? ""}`);
    expect(log.anchors[0]).toMatchObject({ keptSize: 2, failures: 0 });
  });

  it.each([404, 500, 301])("that answers %d has not kept it", async (status) => {
    const url = await serve((request, response) => response.writeHead(request.url === "/other" ? 204 : status, { location: "/other" }).end());
    const error = await auditErrorOf(httpAnchor(url).keep(signedBy(1), never));
    expect(error.code).toBe("AUDIT_UNAVAILABLE");
    expect(error.details).toMatchObject(status === 301 ? { reason: "http" } : { reason: "status", status });
    expect(error.message).not.toContain("127");
  });

  it("that is not there, or does not answer in time, has not kept it", async () => {
    const url = await serve(() => undefined);
    const { log } = await open([httpAnchor(url, { timeoutMs: 100 })]);
    await log.close();
    expect(log.anchors[0]).toMatchObject({ keptSize: 0, lastFailure: "TIMEOUT" });
    const error = await auditErrorOf(httpAnchor("http://127.0.0.1:9/").keep(signedBy(1), never));
    expect(error.details["reason"]).toBe("http");
  });

  it("is reached with the caller's fetch", async () => {
    const urls: unknown[] = [];
    const request: typeof fetch = (url) => { urls.push(url); return Promise.resolve(new Response("kept")); };
    await httpAnchor("https://witness.example/", { fetch: request }).keep(signedBy(1), never);
    expect(urls).toEqual(["https://witness.example/"]);
  });

  it.each(["http://witness.example/", "http://127.0.0.1.example/", "https://user:secret@witness.example/", "file:///etc", "nothing", undefined])("%j is refused", (url) => {
    expect(() => httpAnchor(url as never)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });
});
