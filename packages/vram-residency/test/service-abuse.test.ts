import { execFile, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, readFile, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { aborted } from "../src/errors.js";
import { sealVerificationFailed } from "../src/events.js";
import { SERVER_LIMITS } from "../src/service/http/server-limits.js";
import type { Listen } from "../src/service/listen-address.js";
import { temporaryFolder } from "./fixture.js";
import { ask, fakeView, lineNumbers, openFeed, openLog, sendRaw, serve, snapshot, watch } from "./service-fixture.js";

const NONCE = `/attest?nonce=${"00".repeat(16)}`;
const GET = "GET /api/shards HTTP/1.1\r\nHost: localhost\r\n";

/** 100 kB. */
const longEvent = sealVerificationFailed({
  shardId: "shard-0",
  reason: "digest",
  damage: { blockCount: 25, blocks: Array.from({ length: 25 }, (_, index) => ({ index, singleBit: null, tensors: Array.from({ length: 4 }, () => "n".repeat(1000)) })) },
});

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => { socket.destroy(); });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Resolves when the server has ended a connection, in whatever way. */
function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.resume().on("close", () => { resolve(); }));
}

async function millisecondsOf(run: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await run();
  return performance.now() - before;
}

describe("a service is there for others", () => {
  it.concurrent("while clients send slowly or nothing: they are cut", async () => {
    const { port } = await serve();
    const slow = await connected(port);
    slow.write("GET /metrics HTTP/1.1\r\n");
    const drip = setInterval(() => slow.write("x: y\r\n"), 200);
    const silent = await connected(port);
    const closed = Promise.all([ended(slow), ended(silent)]);
    expect((await ask(port)).status).toBe(200);
    expect(await millisecondsOf(() => closed)).toBeLessThan(SERVER_LIMITS.headersMs + 2000);
    clearInterval(drip);
    expect((await ask(port)).status).toBe(200);
  });

  it("while a client asks for more than it takes: it is not answered into memory", async () => {
    const body = { ...snapshot, backend: "x".repeat(1_000_000) };
    let asked = 0;
    const { port } = await serve({ view: fakeView({ snapshot: () => { asked += 1; return body; } }) });
    const socket = await connected(port);
    socket.pause();
    socket.write(`${GET}\r\n`.repeat(2000));
    await ended(socket);
    expect(asked).toBeLessThan(3);
    expect((await ask(port)).status).toBe(200);
  });

  it("while a client takes nothing: it is cut", async () => {
    const body = { ...snapshot, backend: "x".repeat(20_000_000) };
    const { port } = await serve({ view: fakeView({ snapshot: () => body }), limits: { ...SERVER_LIMITS, stalledMs: 300 } });
    const socket = await connected(port);
    socket.pause();
    socket.write(`${GET}\r\n`);
    await delay(1000);
    let received = 0;
    socket.on("data", (chunk: Buffer) => { received += chunk.length; });
    await ended(socket);
    expect(received).toBeLessThan(20_000_000);
  });

  it("while a watcher takes nothing: nothing is kept for it but the gap, and in the end it is cut", async () => {
    const open = await openLog();
    const feed = openFeed(open);
    const [patient, strict] = [await serve({ feed }), await serve({ feed, limits: { ...SERVER_LIMITS, stalledMs: 300, heartbeatMs: 100 } })];
    const [late, stalled] = [await connected(patient.port), await connected(strict.port)];
    for (const socket of [late, stalled]) socket.pause().write("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const good = await watch(patient.port);
    await expect.poll(() => lineNumbers(good)).toEqual([1]);
    for (let batch = 0; batch < 8; batch += 1) await Promise.all(Array.from({ length: 50 }, () => open.log.append(longEvent)));
    await expect.poll(() => lineNumbers(good).at(-1), { timeout: 10_000 }).toBe(401);
    expect(lineNumbers(good)).toHaveLength(401);
    let text = "";
    late.setEncoding("latin1").on("data", (chunk: string) => { text += chunk.replaceAll("n".repeat(1000), ""); });
    late.resume();
    await expect.poll(() => text.includes("id: 401\n"), { timeout: 5000 }).toBe(true);
    expect(text).toMatch(/^event: gap$/m);
    await ended(stalled);
  });

  it("up to its limit of streams, and again when one has left", async () => {
    const { port } = await serve({ limits: { ...SERVER_LIMITS, streams: 2 } });
    const first = await watch(port);
    await watch(port);
    const { status, headers, body } = await ask(port, { path: "/api/events" });
    expect([status, headers["retry-after"], body]).toEqual([503, "5", expect.stringContaining("BUSY")]);
    first.leave();
    await expect.poll(async () => {
      const watching = await watch(port);
      watching.leave();
      return watching.events.length;
    }).toBeGreaterThan(0);
  });

  it("for one attestation at a time, which ends when its client leaves", async () => {
    const signals: AbortSignal[] = [];
    const attest = (_: Uint8Array, signal: AbortSignal) =>
      new Promise<string>((_resolve, reject) => {
        signals.push(signal);
        signal.addEventListener("abort", () => { reject(aborted()); });
      });
    const { port } = await serve({ view: fakeView({ attest }), limits: { ...SERVER_LIMITS, stalledMs: 200 } });
    const first = await connected(port);
    first.write(`GET ${NONCE} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await expect.poll(() => signals.length).toBe(1);
    const { status, headers } = await ask(port, { path: NONCE });
    expect([status, headers["retry-after"]]).toEqual([503, "1"]);
    await delay(800);
    expect(signals[0]?.aborted).toBe(false);
    first.destroy();
    await expect.poll(() => signals[0]?.aborted).toBe(true);
    const second = await connected(port);
    second.write(`GET ${NONCE} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await expect.poll(() => signals.length).toBe(2);
  });

  it("with one scrape for all who ask meanwhile", async () => {
    let scrapes = 0;
    const metrics = async () => {
      scrapes += 1;
      await delay(100);
      return { contentType: "text/plain", text: `vram_scrapes ${scrapes}\n` };
    };
    const { port } = await serve({ view: fakeView({ metrics }) });
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(port, { path: "/metrics" })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(scrapes).toBeLessThan(10);
    const before = scrapes;
    await ask(port, { path: "/metrics" });
    expect(scrapes).toBe(before + 1);
  });

  it("over one connection, request after request", async () => {
    const { port } = await serve({ view: fakeView({ snapshot: () => ({ ...snapshot, backend: "x".repeat(300_000) }) }) });
    const program = `const {Agent, request} = require("node:http"); const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const one = () => new Promise((done, fail) => request({ port: ${port}, path: "/api/shards", agent, headers: { host: "localhost" } }, (r) => { r.resume().on("end", done); }).on("error", fail).end());
      (async () => { for (let i = 0; i < 300; i += 1) await one(); agent.destroy(); console.log("good"); })();`;
    expect((await promisify(execFile)(process.execPath, ["-e", program])).stdout).toBe("good\n");
  });

  it("after 10,000 connections, in bounded memory", async () => {
    const { port } = await serve();
    const folder = await temporaryFolder();
    await writeFile(join(folder, "flood.cjs"), flood(port));
    const before = process.memoryUsage().rss;
    const child = fork(join(folder, "flood.cjs"));
    const [report] = (await once(child, "message")) as [{ opened: number; refused: number }];
    // While they are held.
    const held = await ask(port).catch(() => undefined);
    child.kill();
    await once(child, "exit");
    expect(report.opened).toBe(10_000);
    expect(report.refused).toBeGreaterThanOrEqual(10_000 - SERVER_LIMITS.connections);
    expect(held?.status ?? "refused").toSatisfy((status: unknown) => status === "refused" || status === 200);
    await expect.poll(() => ask(port).then(({ status }) => status, () => 0), { timeout: 5000 }).toBe(200);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });
});

/** Opens 10,000 connections, each with the beginning of a request; tells how many the server ended at once. */
const flood = (port: number): string => `
  const { connect } = require("node:net");
  let opened = 0, refused = 0, told = false;
  const tell = () => { if (!told && opened === 10000 && refused >= ${10_000 - SERVER_LIMITS.connections}) { told = true; process.send({ opened, refused }); } };
  const open = () => {
    const socket = connect(${port}, "127.0.0.1", () => { opened += 1; socket.write("GET / HTTP/1.1\\r\\n"); next(); tell(); });
    socket.on("error", () => undefined).on("close", () => { refused += 1; tell(); });
  };
  let begun = 0;
  const next = () => { if (begun < 10000) { begun += 1; open(); } };
  for (let at = 0; at < 200; at += 1) next();
  setTimeout(() => process.send({ opened, refused }), 10000);`;

describe("a Unix socket", () => {
  it("is its owner's alone from the beginning, needs no token, and is gone with the server", async () => {
    const socketPath = join(await temporaryFolder(), "hold.sock");
    const server = await serve({ listen: { socketPath } });
    await writeFile(`${socketPath}.other`, "");
    expect((await stat(`${socketPath}.other`)).mode & 0o777).not.toBe(0o600);
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
    expect(server.address).toBe("the socket hold.sock");
    expect((await ask(0, { socketPath, headers: { host: "localhost" } })).status).toBe(200);
    expect((await ask(0, { socketPath, headers: { host: "evil.example" } })).status).toBe(421);
    await server.close();
    await expect(lstat(socketPath)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("of a dead process is replaced, one of a live process and a file are not", async () => {
    const folder = await temporaryFolder();
    const socketPath = join(folder, "hold.sock");
    const child = spawn(process.execPath, ["-e", `require("node:net").createServer().listen(${JSON.stringify(socketPath)}, () => console.log("on"))`]);
    await once(child.stdout, "data");
    const inUse = { code: "INVALID_CONFIG", details: { argument: "listen", errno: "EADDRINUSE" } };
    await expect(serve({ listen: { socketPath } })).rejects.toMatchObject(inUse);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect((await lstat(socketPath)).isSocket()).toBe(true);
    await serve({ listen: { socketPath } });
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
    expect((await ask(0, { socketPath, headers: { host: "localhost" } })).status).toBe(200);

    const file = join(folder, "file");
    await writeFile(file, "precious");
    await expect(serve({ listen: { socketPath: file } })).rejects.toMatchObject(inUse);
    expect(await readFile(file, "utf8")).toBe("precious");
  });
});

describe("an address", () => {
  it("at which one cannot listen is an error with the remedy and without a path", async () => {
    const { port } = await serve();
    const refusal = (listen: Listen) => serve({ listen }).catch((error: unknown) => error as Error);
    const taken = await refusal({ host: "127.0.0.1", port });
    expect(taken).toMatchObject({ name: "VramError", code: "INVALID_CONFIG", details: { errno: "EADDRINUSE" } });
    const missing = await refusal({ socketPath: "/nowhere/at/all.sock" });
    expect(missing).toMatchObject({ name: "VramError", code: "INVALID_CONFIG" });
    for (const error of [taken, missing]) expect((error as Error).message).toMatch(/^listen must name [^/]*$/);
  });
});

describe("a server that closes", () => {
  it("ends streams and what is still asked, and takes no more", async () => {
    const server = await serve({ view: fakeView({ attest: () => new Promise(() => undefined) }) });
    const watching = await watch(server.port);
    const hanging = sendRaw(server.port, `GET ${NONCE} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await delay(100);
    expect(await millisecondsOf(() => server.close())).toBeLessThan(1500);
    await watching.ended;
    expect(watching.events.at(-1)?.data).toBe('{"state":"closing"}');
    expect(await hanging).toBe("");
    await expect(ask(server.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await server.close();
  });
});
