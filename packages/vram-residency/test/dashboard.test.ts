import { mkdirSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished } from "vitest";
import { openAuditLog } from "vram-audit";
import { itWithTool } from "../../vram-seal/test/support/tool.js";
import { sealVerified } from "../src/events.js";
import { dashboardPage } from "../src/service/dashboard/load-page.js";
import { EventFeed } from "../src/service/event-feed.js";
import { startServer } from "../src/service/http-server.js";
import type { ServiceSnapshot } from "../src/service/service-state.js";
import type { ShardStatus } from "../src/status.js";

const CHROMIUM = "/usr/bin/chromium";
const QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const DIGEST = "0123456789abcdef".repeat(4);
const screens = fileURLToPath(new URL("../.results/screens", import.meta.url));
const itInBrowser = itWithTool("chromium");

let home: string;
let browser: BrowserContext | undefined;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vram-dashboard-"));
  rmSync(screens, { recursive: true, force: true });
  mkdirSync(screens, { recursive: true });
  browser = await chromium
    .launchPersistentContext(join(home, "profile"), { executablePath: CHROMIUM, headless: true, args: ["--no-sandbox", ...QUIET] })
    .catch(() => undefined);
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await rm(home, { recursive: true });
});

function shard(shardId: string, more: Partial<ShardStatus> = {}): ShardStatus {
  const record = { shardId, modelRef: "llama-3-8b", gpuDevice: 0, gpuUuid: "GPU-0", backend: "simulator", vramBytes: 4_831_838_208, digest: DIGEST };
  const seal = { digestAlgorithm: "sha256", sealedAt: new Date().toISOString(), sealed: true, state: "sealed", keyId: "0123456789abcdef", expected: true } as const;
  const scrub = { doneBytes: 2_000_000_000, totalBytes: 4_831_838_208, passes: 3, lastPassAt: null };
  return { ...record, ...seal, verifiedAt: new Date(Date.now() - 42_000).toISOString(), scrub, ...more };
}

function snapshot(more: Partial<ServiceSnapshot> = {}): ServiceSnapshot {
  const capacity = { totalBytes: 85_899_345_920, availableBytes: 60_129_542_144, usedBytes: 21_474_836_480, reservedBytes: 4_294_967_296 };
  const rules = [
    { rule: "backend-allowed", verdict: "pass", reason: "the backend cuda is allowed", remedy: null },
    { rule: "ecc", verdict: "waived", reason: "ECC is off: a flipped bit is found only by the next verification", remedy: null },
    { rule: "not-integrated", verdict: "violated", reason: "the device is integrated", remedy: "use a discrete GPU with memory of its own" },
  ] as const;
  return {
    ...{ at: new Date().toISOString(), workerId: "worker-1", instanceId: "ab".repeat(16), backend: "simulator", state: "ready", stopped: null },
    devices: [{ ordinal: 0, uuid: "GPU-0", name: "NVIDIA H200", ...capacity }],
    shards: [shard("layers-0"), shard("layers-1", { state: "repairing", expected: false })],
    policy: [{ gpuDevice: 0, gpuUuid: "GPU-0", rules }],
    audit: { state: "open", size: 12, root: "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=", origin: "vram/worker-1", anchors: [{ name: "witness", keptSize: 10, failures: 1, lastFailure: "TIMEOUT" }] },
    damage: [{ time: new Date().toISOString(), sequence: 11, shardId: "layers-1", reason: "digest", blockCount: 1, blocks: [{ index: 17, singleBit: true, tensors: ["model.layers.1.weight"] }] }],
    ...more,
  };
}

async function service(told: () => ServiceSnapshot = snapshot) {
  const dir = join(await mkdtemp(join(home, "log-")), "audit");
  const log = await openAuditLog({ dir });
  onTestFinished(() => log.close());
  const view = {
    snapshot: told,
    health: () => ({ ok: true, body: {} }),
    readiness: () => ({ ok: true, body: {} }),
    metrics: () => Promise.resolve({ contentType: "text/plain", text: "" }),
    attest: () => Promise.resolve("{}"),
  };
  const start = async (port: number) => {
    const feed = new EventFeed({ dir, linesBefore: 0 });
    const server = await startServer({ listen: { host: "127.0.0.1", port }, view, feed, page: dashboardPage });
    const close = async () => { await server.close(); await feed.close(); };
    onTestFinished(close);
    return { url: server.address, close };
  };
  return { start, append: (shardId: string) => log.append(sealVerified({ shardId, digest: DIGEST, vramBytes: 4096, durationMs: 1.5 })) };
}

/** A page that fails the test at any error of a script or of its Content-Security-Policy; a connection may be refused. */
async function emptyPage(): Promise<Page> {
  if (browser === undefined) throw new Error("chromium cannot be started");
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => { if (message.type() === "error" && !message.text().includes("net::ERR_")) problems.push(message.text()); });
  onTestFinished(async () => {
    await page.close();
    expect(problems).toEqual([]);
  });
  return page;
}

async function visit(url: string): Promise<Page> {
  const page = await emptyPage();
  await page.goto(url);
  await page.getByText("live", { exact: true }).waitFor();
  await page.locator("#state", { hasNotText: "Connecting" }).waitFor();
  return page;
}

const isNarrow = (page: Page) => page.evaluate("document.documentElement.scrollWidth <= innerWidth");

describe("the dashboard", () => {
  itInBrowser("shows an event within 500 ms of its being durable", async () => {
    const { start, append } = await service();
    const page = await visit((await start(0)).url);
    await append("fresh-shard");
    const durable = performance.now();
    await page.locator("#event-list").getByText("fresh-shard").first().waitFor();
    expect(performance.now() - durable).toBeLessThan(500);
  });

  itInBrowser("goes on over a restart of the server, without loss or duplicates", async () => {
    const { start, append } = await service();
    const first = await start(0);
    const page = await visit(first.url);
    await append("before");
    await first.close();
    await page.locator("#state", { hasText: "Offline" }).waitFor();
    for (let index = 0; index < 5; index += 1) await append(`meanwhile-${index}`);
    await start(Number(new URL(first.url).port));
    await append("after");
    await page.locator("#event-list").getByText("after", { exact: true }).waitFor();
    const keys = await page.locator("#event-list > li").evaluateAll((items: { dataset: { key: string } }[]) => items.map(({ dataset }) => Number(dataset.key)));
    expect(keys).toEqual(keys.map((_, index) => keys.length - index));
    expect(keys).toHaveLength(8);
    await page.locator("#state", { hasText: "Ready" }).waitFor();
  });

  itInBrowser("keeps hostile text text, in every field", async () => {
    const evil = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>'"\u202egnp.exe\u0007\u05d0\u05d1${"W".repeat(900)}`;
    const hostile = JSON.parse(JSON.stringify(snapshot()), (key: string, value: unknown) =>
      typeof value === "string" && !["at", "state", "verdict", "verifiedAt", "time"].includes(key) ? evil : value,
    ) as ServiceSnapshot;
    const { start } = await service(() => ({ ...hostile, stopped: { code: evil, message: evil }, state: "stopped" }));
    const { url } = await start(0);
    const line = { sequence: "1", time: new Date().toISOString(), type: evil, severity: "critical", subject: evil, data: { [evil]: evil } };
    const page = await emptyPage();
    const stream = `id: 1\nevent: audit\ndata: ${JSON.stringify(line)}\n\n`;
    await page.route(`${url}api/events`, (route) => route.fulfill({ contentType: "text/event-stream", body: stream }));
    await page.setViewportSize({ width: 320, height: 700 });
    await page.goto(url);
    await page.locator("#event-list > li").waitFor();
    await page.locator("#shard-rows > tr").first().waitFor();
    expect(await page.locator("main img, main script").count()).toBe(0);
    expect(await page.title()).toMatch(/^Stopped/);
    expect(await page.locator("body").innerText()).not.toMatch(/[\u202e\u2028]|(?![\n\t])\p{Cc}/u);
    expect(await page.locator("#shard-rows bdi").first().textContent()).toContain("[U+202E]");
    expect(await isNarrow(page)).toBe(true);
    await page.screenshot({ path: join(screens, "hostile.png"), fullPage: true });
  });

  itInBrowser("works by keyboard: the order reaches each control, and events are filtered", async () => {
    const { start, append } = await service();
    const page = await visit((await start(0)).url);
    await append("routine");
    await page.locator("#event-list").getByText("routine").first().waitFor();
    const reached = new Set<string>();
    for (let step = 0; step < 40; step += 1) {
      await page.keyboard.press("Tab");
      reached.add(String(await page.evaluate("(e => e.id || e.value || e.className || e.tagName)(document.activeElement)")));
    }
    for (const control of ["skip", "shard-filter", "critical", "warning", "info", "code", "scroll"]) expect(reached).toContain(control);
    await page.locator("input[value=info]").focus();
    await page.keyboard.press("Space");
    await page.locator("#event-list > li").first().waitFor({ state: "detached" });
    expect(await page.locator("#event-list > li").count()).toBe(0);
  });

  itInBrowser("stays usable with 1,000 shards, and finds one", async () => {
    const many = Array.from({ length: 1000 }, (_, index) => shard(`part-${index}`));
    const { start } = await service(() => snapshot({ shards: many }));
    const page = await visit((await start(0)).url);
    await page.getByText("Showing 200 of 1,000 shards").waitFor();
    await page.locator("#shard-filter").fill("part-999");
    await page.getByText("Showing 1 of 1,000 shards").waitFor();
    expect(await page.locator("#shard-rows > tr").count()).toBe(1);
  });

  itInBrowser("fits a narrow window, in light and in dark", async () => {
    const { start, append } = await service();
    const page = await visit((await start(0)).url);
    await append("layers-0");
    await page.locator("#event-list").getByText("layers-0").first().waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [1440, 320]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await isNarrow(page)).toBe(true);
        await page.screenshot({ path: join(screens, `${colorScheme}-${width}.png`), fullPage: true });
      }
    }
  });
});
