import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type Anchor, openAuditLog, type SignedCheckpoint, verifyAuditLog } from "../src/index.js";
import { openAnchored } from "./support/anchors.js";
import { verified, violated } from "./support/events.js";
import { sampleNotes } from "./support/sample-log.js";
import { auditErrorOf, parseLines, readLog, scratch } from "./support/scratch.js";

const newDirectory = scratch();
const forever = () => new Promise<void>(() => undefined);
const failing = (code: string) => () => Promise.reject(Object.assign(new Error("/secret/path"), { code }));

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

describe("an anchor of a log", () => {
  it("gets the checkpoints as they are in the log, the last one before close() resolves", async () => {
    const anchor = new TestAnchor();
    const { dir, log } = await openAnchored(newDirectory(), anchor);
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
    const { log } = await openAnchored(newDirectory(), anchor);
    await vi.waitFor(() => { expect(anchor.given).toHaveLength(1); });
    for (let index = 0; index < 5; index += 1) await log.append(violated());
    expect(anchor.given.map(({ size }) => size)).toEqual([1]);
    release();
    await vi.waitFor(() => { expect(anchor.given.map(({ size }) => size)).toEqual([1, 6]); });
    await log.close();
  });

  it("begins when who waits for the log has been answered", async () => {
    const anchor = new TestAnchor();
    const { log } = await openAnchored(newDirectory(), anchor);
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
    const { dir, log } = await openAnchored(newDirectory(), anchor);
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
    const { dir, log } = await openAnchored(newDirectory(), anchor);
    await vi.waitFor(() => { expect(log.anchors[0]?.keptSize).toBe(1); });
    anchor.answer = failing("EIO");
    await log.close();
    expect(log.anchors[0]).toMatchObject({ keptSize: 1, lastFailure: "EIO" });
    expect(parseLines(await readLog(dir)).at(-1)?.type).toBe("vram.audit.closed");
  });

  it("that never answers has failed when its time is up, gets no checkpoint beside, and does not keep close() for longer", async () => {
    const anchor = new TestAnchor(false, 60);
    anchor.answer = forever;
    const { log } = await openAnchored(newDirectory(), anchor);
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
    const { log } = await openAnchored(newDirectory(), anchor);
    await vi.waitFor(() => { expect(told).toBe(true); });
    await log.close();
    expect(log.anchors[0]?.lastFailure).toBe("TIMEOUT");
  });

  it("that is required fails the log, without what the anchor said", async () => {
    const anchor = new TestAnchor(true);
    const { dir, log } = await openAnchored(newDirectory(), anchor);
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
    const { dir, log } = await openAnchored(newDirectory(), anchor);
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
