import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openAuditLog } from "vram-audit";
import { sealVerificationFailed } from "../src/events.js";
import { SERVER_LIMITS } from "../src/service/http/server-limits.js";
import { ask, feedOf, fakeView, lineNumbers, openFeed, openLog, serve, snapshot, verified, watch } from "./service-fixture.js";
import type { OpenLog } from "./service-fixture.js";

const numbersFrom = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
const append = async ({ log }: OpenLog, count: number) => {
  await Promise.all(Array.from({ length: count }, () => log.append(verified)));
};
const damage = { blockCount: 1, blocks: [{ index: 7, singleBit: true, tensors: ["layer.0.weight"] }] };
const failed = sealVerificationFailed({ shardId: "shard-0", reason: "digest", damage });

describe("the events of a service", () => {
  it("are the lines of the log as they are, the newest 100 first, then each within 500 ms", async () => {
    const open = await openLog();
    await append(open, 149);
    const { port } = await serve({ feed: openFeed(open) });
    const watching = await watch(port);
    await expect.poll(() => lineNumbers(watching)).toEqual(numbersFrom(51, 150));
    const times: number[] = [];
    for (const sequence of numbersFrom(151, 156)) {
      const before = performance.now();
      await open.log.append(verified);
      await expect.poll(() => lineNumbers(watching).at(-1), { interval: 5 }).toBe(sequence);
      times.push(performance.now() - before);
    }
    expect(Math.max(...times)).toBeLessThan(500);
    const lines = (await readFile(join(open.dir, "audit-v1.0000000000000001.jsonl"), "utf8")).split("\n").slice(50, -1);
    expect(watching.events.map(({ data }) => data)).toEqual(lines);
  });

  it("go on behind the last event that a client has, in one server and in the next, each once", async () => {
    const open = await openLog();
    const feed = openFeed(open);
    const first = await serve({ feed });
    const before = await watch(first.port);
    await append(open, 5);
    await expect.poll(() => lineNumbers(before)).toEqual(numbersFrom(1, 6));
    await first.close();
    await before.ended;
    expect(before.events.at(-1)).toEqual({ event: "state", id: undefined, data: '{"state":"closing"}' });
    await append(open, 3);
    await feed.close();
    const second = await serve({ feed: openFeed(open) });
    const [byHeader, byQuery, both] = [
      await watch(second.port, { headers: { "last-event-id": "6" } }),
      await watch(second.port, { path: "/api/events?after=6" }),
      await watch(second.port, { path: "/api/events?after=1", headers: { "last-event-id": "6" } }),
    ];
    await append(open, 2);
    for (const watching of [byHeader, byQuery, both]) {
      await expect.poll(() => lineNumbers(watching).at(-1)).toBe(11);
      expect(lineNumbers(watching)).toEqual(numbersFrom(7, 11));
      expect(watching.events.map(({ event }) => event)).not.toContain("gap");
    }
  });

  it("tell a client that is behind the newest 1,000 of the gap", async () => {
    const open = await openLog();
    await append(open, 1499);
    const feed = openFeed(open);
    const { port } = await serve({ feed });
    await expect.poll(async () => {
      const watching = await watch(port, { path: "/api/events?after=200" });
      await expect.poll(() => lineNumbers(watching).at(-1)).toBe(1500);
      watching.leave();
      return [watching.events[0], lineNumbers(watching).length, lineNumbers(watching)[0]];
    }).toEqual([{ event: "gap", id: undefined, data: '{"from":201,"to":500}' }, 1000, 501]);
    const watching = await watch(port);
    await append(open, 10);
    await expect.poll(() => lineNumbers(watching).at(-1)).toBe(1510);
    const late = await watch(port, { path: "/api/events?after=1509" });
    await expect.poll(() => lineNumbers(late)).toEqual([1510]);
    const ahead = await watch(port, { path: "/api/events?after=5000" });
    await expect.poll(() => lineNumbers(ahead)).toEqual(numbersFrom(1411, 1510));
    expect(ahead.events[0]).toEqual({ event: "gap", id: undefined, data: '{"from":1511,"to":5000}' });
  });

  it("have the state of the service when it changes, and when a client comes", async () => {
    const feed = openFeed(await openLog());
    const { port } = await serve({ feed });
    const early = await watch(port, { path: "/api/events?after=1" });
    feed.announce("sealing");
    feed.announce("ready");
    await expect.poll(() => early.events.map(({ data }) => data)).toEqual(['{"state":"sealing"}', '{"state":"ready"}']);
    const late = await watch(port, { path: "/api/events?after=1" });
    await expect.poll(() => late.events).toEqual([{ event: "state", id: undefined, data: '{"state":"ready"}' }]);
  });

  it("say that the log cannot be read, and that it can again", async () => {
    const open = await openLog();
    const { port } = await serve({ feed: openFeed(open) });
    const watching = await watch(port);
    await expect.poll(() => lineNumbers(watching)).toEqual([1]);
    await rename(open.dir, `${open.dir}-away`);
    const trouble = () => watching.events.filter(({ event }) => event === "trouble").map(({ data }) => data);
    await expect.poll(() => trouble()[0], { timeout: 3000 }).toContain('"code":"AUDIT_UNAVAILABLE"');
    expect(trouble().join()).not.toContain("/");
    const late = await watch(port);
    await expect.poll(() => late.events[0]?.event).toBe("trouble");
    expect((await ask(port)).status).toBe(200);
    await rename(`${open.dir}-away`, open.dir);
    await open.log.append(verified);
    await expect.poll(() => trouble().at(-1), { timeout: 5000 }).toBe("null");
    expect(lineNumbers(watching)).toEqual([1, 2]);
  });

  it("outlive a log that is not there, and begin with it", async () => {
    const open = await openLog();
    await open.log.close();
    await rm(open.dir, { recursive: true });
    const { port } = await serve({ feed: feedOf(open.dir, 0) });
    const watching = await watch(port);
    await expect.poll(() => watching.events.at(-1)?.event).toBe("trouble");
    const log = await openAuditLog({ dir: open.dir });
    await expect.poll(() => lineNumbers(watching), { timeout: 3000 }).toEqual([1]);
    await log.close();
  });

  it("end with the server, which does not wait for clients that keep their connection", async () => {
    const server = await serve({ feed: openFeed(await openLog()) });
    const response = await fetch(`http://127.0.0.1:${server.port}/api/events`);
    const beginMs = performance.now();
    const [text] = await Promise.all([response.text(), server.close()]);
    expect(text).toContain('{"state":"closing"}');
    expect(performance.now() - beginMs).toBeLessThan(SERVER_LIMITS.graceMs / 2);
  });

  it("keep the damage of this process, newest first, at most 16", async () => {
    const open = await openLog();
    await open.log.append(failed);
    const feed = openFeed(open);
    for (let count = 0; count < 20; count += 1) await open.log.append(failed);
    await open.log.append(sealVerificationFailed({ shardId: null, reason: "mac" }));
    await expect.poll(() => feed.damage.map(({ sequence }) => sequence), { timeout: 3000 }).toEqual(numbersFrom(8, 23).reverse());
    expect(feed.damage[0]).toMatchObject({ shardId: null, reason: "mac", blockCount: null, blocks: [] });
    expect(feed.damage[1]).toEqual({ ...{ sequence: 22, shardId: "shard-0", reason: "digest" }, ...damage, time: expect.stringMatching(/Z$/) as string });
  });

  it("begin at once, however long the log is", async () => {
    const open = await openLog();
    await append(open, 3000);
    const before = performance.now();
    const { port } = await serve({ feed: openFeed(open), view: fakeView({ snapshot: () => snapshot }) });
    expect((await ask(port)).status).toBe(200);
    expect(performance.now() - before).toBeLessThan(500);
  });

  it("show a sign of life when nothing happens", async () => {
    const { port } = await serve({ feed: openFeed(await openLog()), limits: { ...SERVER_LIMITS, heartbeatMs: 30, stalledMs: 100 } });
    const watching = await watch(port);
    let hasEnded = false;
    void watching.ended.then(() => { hasEnded = true; });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(hasEnded).toBe(false);
  });
});
