import { spawn } from "node:child_process";
import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import { verifyAuditLog } from "vram-audit";
import { createKeyFile } from "vram-seal";
import { isThere, itWhere } from "../../vram-seal/test/support/tool.js";
import { VramError } from "../src/errors.js";
import { parseConfig } from "../src/service/config.js";
import type { HoldConfig } from "../src/service/config.js";
import { HoldService } from "../src/service/hold-service.js";
import { openNotifier } from "../src/service/notifier.js";
import { openConfigured } from "../src/service/open-parts.js";
import { Web } from "../src/service/web.js";
import type { ServerOptions, Feed, WebParts } from "../src/service/web.js";
import { flipSealedBit, itWithFaults, onGpu, patternBytes, readEvents, refusal, temporaryFolder } from "./fixture.js";
import { resetSimulator } from "vram-simulator/control";
import { simulator } from "vram-simulator";

type View = ServerOptions<Feed>["view"];

/** A server that only keeps what it was given. */
class FakeWeb implements WebParts {
  readonly states: string[] = [];
  readonly closed: string[] = [];
  view: View | undefined;
  openMetrics = () => Promise.resolve({ contentType: "text/plain", text: () => Promise.resolve("metrics"), close: () => { this.closed.push("metrics"); } });
  openFeed = (): Feed => ({ damage: [], announce: (state) => { this.states.push(state); }, close: () => this.#close("feed") });
  startServer = ({ view }: ServerOptions<Feed>) => {
    this.view = view;
    return Promise.resolve({ address: "http://127.0.0.1:9464", close: () => this.#close("server") });
  };
  #close(name: string): Promise<void> {
    this.closed.push(name);
    return Promise.resolve();
  }
}

interface Change {
  readonly models?: readonly object[];
  readonly [field: string]: unknown;
}

/** A service in this process with models a and b, and a fake server. */
async function openService(change: Change = {}) {
  if (!onGpu) resetSimulator();
  const folder = await temporaryFolder();
  chmodSync(folder, 0o700);
  for (const name of ["a", "b", "c"]) writeFileSync(join(folder, `${name}.bin`), patternBytes(9000 + name.charCodeAt(0)));
  const given = {
    ...{ workerId: "w", sealKey: { ephemeral: true }, audit: { dir: "audit" }, models: [{ path: "a.bin" }, { path: "b.bin" }] },
    ...{ scrub: false, serve: { listen: "127.0.0.1:9464" }, lingerSeconds: 30 },
  };
  let next: () => Promise<HoldConfig> = () => Promise.reject(new VramError("INVALID_CONFIG", "config must be good"));
  const config = parseConfig({ ...given, ...change }, folder);
  const [fake, end, lines] = [new FakeWeb(), new AbortController(), [] as string[]];
  const web = await Web.prepare(fake, config.serve ?? { listen: { socketPath: "/" } });
  const opened = await openConfigured(config, onGpu ? undefined : simulator());
  const service = new HoldService(config, {
    ...{ opened, web, signal: end.signal, readConfig: () => next() },
    notifier: openNotifier({}, () => undefined),
    teller: { say: (line) => { lines.push(line); }, notice: (line) => { lines.push(line); } },
  });
  onTestFinished(async () => {
    end.abort();
    await service.close();
  });
  const ids = () => opened.residency.shards.map(({ shardId }) => shardId);
  return {
    ...{ folder, fake, end, lines, service, ids, residency: opened.residency, auditDir: config.audit.dir },
    /** Reloads, and resolves to the last line that was told. */
    reload: async (changed: Change | Error): Promise<string> => {
      next = () => new Promise((resolve) => {
        if (changed instanceof Error) throw changed;
        resolve(parseConfig({ ...given, ...change, ...changed }, folder));
      });
      service.reload();
      const told = () => lines.filter((line) => /^(Reloaded|NOT RELOADED)/.test(line));
      const before = told().length;
      await expect.poll(() => told().length).toBeGreaterThan(before);
      return told().at(-1) ?? "";
    },
    /** Runs it until everything is sealed. */
    sealed: async (): Promise<{ readonly ended: Promise<unknown> }> => {
      const ended = service.run().catch((error: unknown) => error);
      await expect.poll(() => service.state).toBe("ready");
      return { ended };
    },
  };
}

describe("a hold service", () => {
  itWithFaults("is served before it has sealed, ready after, and closes its server last", async () => {
    const { service, fake, end, auditDir } = await openService();
    const running = service.run();
    await expect.poll(() => fake.view).toBeDefined();
    expect(fake.view?.health().ok).toBe(true);
    expect(fake.view?.readiness()).toEqual({ ok: false, body: { status: "sealing" } });
    await expect.poll(() => service.state).toBe("ready");
    expect(fake.view?.readiness()).toEqual({ ok: true, body: { status: "ready" } });
    expect(fake.view?.snapshot()).toMatchObject({ workerId: "w", state: "ready", stopped: null, shards: [{ shardId: "a" }, { shardId: "b" }], audit: { state: "open" } });
    expect(await fake.view?.attest(Buffer.alloc(16), end.signal)).toContain("payload");
    end.abort();
    await running;
    const closing = service.close();
    expect(fake.view?.readiness()).toEqual({ ok: false, body: { status: "closing" } });
    expect((await refusal(fake.view?.attest(Buffer.alloc(16), end.signal) ?? Promise.resolve())).code).toBe("STOPPED");
    await closing;
    expect(fake.states).toEqual(["ready", "closing"]);
    expect(fake.closed).toEqual(["server", "feed", "metrics"]);
    expect(await verifyAuditLog({ dir: auditDir })).toMatchObject({ ok: true, closed: true });
  });

  itWithFaults("wipes every shard at once when the worker stops, tells why for a while, and ends with it at a signal", async () => {
    const { service, fake, end, residency, auditDir, lines, sealed } = await openService();
    const { ended } = await sealed();
    const [shard] = service.shards;
    if (shard === undefined) throw new Error("nothing is sealed");
    await flipSealedBit(residency, shard, 5000);
    await refusal(residency.verify(shard));
    await expect.poll(() => lines.at(-1)).toMatch(/^The worker stopped \(SEAL_VERIFICATION_FAILED\) and every shard is wiped\. It is served for 30 s more/);
    expect(fake.view?.health()).toEqual({ ok: false, body: { status: "stopped", code: "SEAL_VERIFICATION_FAILED" } });
    expect(fake.view?.snapshot()).toMatchObject({ state: "stopped", shards: [], stopped: { code: "SEAL_VERIFICATION_FAILED" } });
    const wiped = (await readEvents(auditDir)).filter(({ type }) => type === "vram.shard.deallocated");
    expect(wiped.map(({ data }) => (data as { wiped: boolean }).wiped)).toEqual([true, true]);
    end.abort();
    expect(await ended).toMatchObject({ code: "SEAL_VERIFICATION_FAILED" });
  });

  itWithFaults("takes over models and scrubbing, and holds nothing else than before where a new configuration is refused", async () => {
    const { ids, reload, residency, sealed } = await openService();
    await sealed();
    const before = residency.shards[0]?.sealedAt;
    expect(await reload({ models: [{ path: "c.bin" }, { path: "a.bin" }], scrub: { periodSeconds: 1 } })).toMatch(/^Reloaded\. Holding 2 shards/);
    expect(ids()).toEqual(["a", "c"]);
    expect(residency.shards[0]?.sealedAt).toBe(before);
    await expect.poll(() => residency.shards.map(({ scrub }) => scrub === null)).toEqual([false, false]);

    expect(await reload(new VramError("INVALID_CONFIG", "config must be good"))).toBe("NOT RELOADED: INVALID_CONFIG: config must be good");
    expect(await reload({ models: [{ path: "b.bin" }, { path: "missing.bin" }] })).toMatch(/^NOT RELOADED: INVALID_INPUT: source must be a readable file \(ENOENT\)/);
    expect(ids()).toEqual(["a", "c"]);
    for (const [field, value] of Object.entries({ workerId: "v", audit: { dir: "other" }, devices: [1], policy: { requireEcc: true }, serve: { listen: "127.0.0.1:1" } })) {
      expect(await reload({ [field]: value })).toBe(`NOT RELOADED: INVALID_CONFIG: config.${field} must be as before: restart the service to change it`);
    }
    expect(residency.state).toBe("ready");
  });

  itWithFaults("lets the key sign that the file has now, and leaves it at a bad one", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "seal.key");
    const { keyId } = await createKeyFile(file);
    const { reload, residency, sealed, auditDir } = await openService({ sealKey: { file } });
    await sealed();
    expect(await reload({})).toMatch(/^Reloaded/);
    expect(residency.shards.map((shard) => shard.keyId)).toEqual([keyId, keyId]);
    const other = await createKeyFile(join(folder, "next.key"));
    renameSync(join(folder, "next.key"), file);
    expect(await reload({})).toMatch(/^Reloaded/);
    expect(residency.shards.map((shard) => shard.keyId)).toEqual([other.keyId, other.keyId]);
    chmodSync(file, 0o644);
    expect(await reload({})).toMatch(/^NOT RELOADED: INVALID_INPUT: the key file "seal.key" must grant nothing to group or others/);
    const types = (await readEvents(auditDir)).map(({ type }) => type);
    expect(types.filter((type) => /rotated|resealed|retired/.test(type))).toEqual(["vram.key.rotated", "vram.shard.resealed", "vram.shard.resealed", "vram.key.retired"]);
  });

  itWithFaults("two reloads follow each other, the second with the newest configuration", async () => {
    const { service, ids, reload, sealed } = await openService();
    await sealed();
    const last = reload({ models: [{ path: "c.bin" }] });
    service.reload();
    await last;
    await service.close();
    expect(ids()).toEqual([]);
  });
});

const RECEIVER = `
import os, socket, sys
path = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind("\\0" + path[1:] if path.startswith("@") else path)
print("listening", flush=True)
while True:
    print(receiver.recv(65536).decode().replace("\\n", " "), flush=True)
`;

describe("readiness notification", () => {
  const itNotifies = itWhere(isThere("systemd-notify") && isThere("python3"));

  itNotifies.each([["a socket's path", "path"], ["an abstract socket", "abstract"]])("tells the service manager in order, by %s", async (_, kind) => {
    const folder = await temporaryFolder();
    const socket = kind === "path" ? join(folder, "notify") : `@vram-notify-${process.pid}`;
    const receiver = spawn("python3", ["-c", RECEIVER, socket]);
    onTestFinished(() => void receiver.kill());
    let received = "";
    receiver.stdout.on("data", (chunk: Buffer) => (received += chunk.toString()));
    await expect.poll(() => received).toContain("listening");
    const notices: string[] = [];
    const notifier = openNotifier({ NOTIFY_SOCKET: socket, PATH: process.env["PATH"], WATCHDOG_USEC: "400000" }, (line) => { notices.push(line); });
    await notifier.tell("READY=1", "STATUS=Holding 2 shards");
    await notifier.tell("STOPPING=1");
    await expect.poll(() => received).toMatch(/READY=1 STATUS=Holding 2 shards.*\n[^]*STOPPING=1/);
    await expect.poll(() => received).toContain("WATCHDOG=1");
    await notifier.close();
    expect(notices).toEqual([]);
  });

  itWithFaults("says aloud, once, that it cannot be told", async () => {
    const notices: string[] = [];
    const notifier = openNotifier({ NOTIFY_SOCKET: "/nowhere", PATH: "/nowhere" }, (line) => { notices.push(line); });
    await notifier.tell("READY=1");
    await notifier.tell("STOPPING=1");
    await notifier.close();
    expect(notices).toEqual(["The service manager cannot be told how the service stands: systemd-notify cannot be run (ENOENT)."]);
  });
});
