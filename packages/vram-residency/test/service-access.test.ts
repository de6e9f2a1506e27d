import { describe, expect, it } from "vitest";
import { VramError } from "../src/index.js";
import { ask, fakeView, sendRaw, serve, snapshot } from "./service-fixture.js";
import type { Asked } from "./service-fixture.js";

const TOKEN = "a-token-of-32-characters-at-least";
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

describe("a service answers", () => {
  it("everything at its path, under the security headers", async () => {
    const { port } = await serve();
    const answers = new Map<string, Awaited<ReturnType<typeof ask>>>();
    for (const path of ["/", "/metrics", "/healthz", "/readyz", "/api/shards", `/attest?nonce=${"0A".repeat(16)}`, "/nothing"]) answers.set(path, await ask(port, { path }));
    expect([...answers.values()].map(({ status, headers, body }) => [status, headers["content-type"], body.slice(0, 50)])).toEqual([
      [200, "text/html; charset=utf-8", expect.stringMatching(/^<script nonce="[A-Za-z0-9+/]{22}=="><\/script>$/)],
      [200, "text/plain; version=0.0.4", "vram_up 1\n"],
      [200, "application/json; charset=utf-8", '{"status":"ok"}'],
      [503, "application/json; charset=utf-8", '{"status":"sealing"}'],
      [200, "application/json; charset=utf-8", JSON.stringify(snapshot).slice(0, 50)],
      [200, "application/vnd.dsse.envelope.v1+json", `{"nonce":"${"0a".repeat(16)}"}`],
      [404, "application/json; charset=utf-8", expect.stringContaining('{"error":{"code":"NOT_FOUND"')],
    ]);
    for (const { headers } of answers.values()) {
      expect(headers).toMatchObject({
        "cache-control": "no-store",
        "content-security-policy": expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'/) as string,
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
      });
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
    const page = answers.get("/");
    const nonce = /nonce="(.*?)"/.exec(page?.body ?? "")?.[1] ?? "none";
    const policy = page?.headers["content-security-policy"];
    expect(policy).toContain(`script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'`);
    expect((await ask(port, { path: "/" })).headers["content-security-policy"]).not.toBe(policy);
  });

  it("HEAD without a body", async () => {
    const { port } = await serve();
    const { status, headers, body } = await ask(port, { method: "HEAD" });
    expect([status, headers["content-length"], body]).toEqual([200, String(JSON.stringify(snapshot).length), ""]);
  });
});

describe("a service refuses", () => {
  it.each<[string, Asked, number]>([
    ["another name of this machine", { headers: { host: "evil.example" } }, 421],
    ["a name that begins as one of ours", { headers: { host: "localhost.evil.example" } }, 421],
    ["an address with a user", { headers: { host: "localhost@evil.example" } }, 421],
    ["an address that is not loopback", { headers: { host: "10.0.0.1:80" } }, 421],
    ["a cross-site request", { headers: { "sec-fetch-site": "cross-site" } }, 403],
    ["another port's page", { headers: { "sec-fetch-site": "same-site" } }, 403],
    ["metadata of no meaning", { headers: { "sec-fetch-site": "own" } }, 403],
    ["a foreign origin", { headers: { origin: "http://evil.example" } }, 403],
    ["an origin without a name", { headers: { origin: "null" } }, 403],
    ["the origin of another port", { headers: { host: "localhost:80", origin: "http://localhost:81" } }, 403],
    ["POST", { method: "POST" }, 405],
    ["OPTIONS", { method: "OPTIONS" }, 405],
    ["DELETE", { method: "DELETE", path: "/metrics" }, 405],
    ["TRACE", { method: "TRACE", path: "/" }, 405],
    ["HEAD where it means nothing", { method: "HEAD", path: "/api/events" }, 405],
    ["a body", { method: "GET", body: "x", headers: { "content-length": "1" } }, 413],
    ["a body in chunks", { method: "POST", body: "x", headers: { "transfer-encoding": "chunked" } }, 413],
    ["a path with a slash more", { path: "/metrics/" }, 404],
    ["a path with two slashes", { path: "//metrics" }, 404],
    ["a path that goes up", { path: "/api/../metrics" }, 404],
    ["an encoded path", { path: "/%6detrics" }, 404],
    ["an encoded path that goes up", { path: "/%2e%2e/metrics" }, 404],
    ["a path in capitals", { path: "/METRICS" }, 404],
    ["a backslash", { path: "/\\metrics" }, 404],
    ["a fragment", { path: "/metrics#a" }, 404],
    ["the page by another name", { path: "/index.html" }, 404],
    ["a whole URL as target", { path: "http://localhost/metrics" }, 404],
    ["an object's own names", { path: "/__proto__" }, 404],
    ["an unknown parameter", { path: "/metrics?name=a" }, 400],
    ["a parameter twice", { path: "/api/events?after=1&after=2" }, 400],
    ["a place that is no number", { path: "/api/events?after=-1" }, 400],
    ["a last event that is no number", { path: "/api/events", headers: { "last-event-id": "9".repeat(16) } }, 400],
    ["no nonce", { path: "/attest" }, 400],
    ["a short nonce", { path: `/attest?nonce=${"0".repeat(31)}` }, 400],
    ["half a byte", { path: `/attest?nonce=${"0".repeat(33)}` }, 400],
    ["a long nonce", { path: `/attest?nonce=${"0".repeat(130)}` }, 400],
    ["a nonce that is no number", { path: `/attest?nonce=${"g".repeat(32)}` }, 400],
    ["a long query", { path: `/attest?nonce=${"0".repeat(2000)}` }, 414],
    ["a huge query", { path: `/attest?nonce=${"0".repeat(20_000)}` }, 431],
    ["huge headers", { headers: { "x-header": "x".repeat(20_000) } }, 431],
  ])("%s", async (_, asked, status) => {
    const { port } = await serve();
    const answer = await ask(port, asked);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain(snapshot.instanceId);
    if (status === 405) expect(answer.headers.allow).toMatch(/^GET(, HEAD)?$/);
    expect((await ask(port)).status).toBe(200);
  });

  it.each([
    ["two Host headers", "GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400],
    ["no Host header", "GET /metrics HTTP/1.1\r\n\r\n", 400],
    ["an empty Host header", "GET /metrics HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", 421],
    ["no Host header of an old client", "GET /metrics HTTP/1.0\r\n\r\n", 421],
    ["two lengths", "GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", 400],
    ["a length and chunks", "GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
    ["a body that is announced", "POST /metrics HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", 413],
    ["what is not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
  ])("%s", async (_, text, status) => {
    const { port } = await serve();
    expect(await sendRaw(port, text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it("a proxy's CONNECT, and leaves a protocol as it is", async () => {
    const { port } = await serve();
    expect(await sendRaw(port, "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n")).toBe("");
    const upgrade = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n";
    expect(await sendRaw(port, upgrade)).toMatch(/^HTTP\/1.1 200 /);
  });

  it("no request of its own page, nor any name that the configuration adds", async () => {
    const { port } = await serve({ hosts: ["GPU-7.example"] });
    for (const host of ["localhost", "LOCALHOST:1", "127.0.0.1:9464", "[::1]:9464", "gpu-7.example:443"]) {
      for (const site of ["same-origin", "none"]) {
        const headers = { host, "sec-fetch-site": site, origin: `http://${host}` };
        expect((await ask(port, { headers })).status).toBe(200);
      }
    }
  });
});

describe("a token", () => {
  it.each<[string, string | undefined, number]>([
    ["none", undefined, 401],
    ["another", "Bearer another", 401],
    ["a beginning", `Bearer ${TOKEN.slice(0, -1)}`, 401],
    ["more", `Bearer ${TOKEN}x`, 401],
    ["an empty one", "Bearer ", 401],
    ["without a scheme", TOKEN, 401],
    ["as the user", basic(TOKEN, ""), 401],
    ["a wrong password", basic("", "another"), 401],
    ["no password", `Basic ${Buffer.from(TOKEN).toString("base64")}`, 401],
    ["as a bearer token", `Bearer ${TOKEN}`, 200],
    ["as the password of anybody", basic("anybody", TOKEN), 200],
    ["as the password of nobody", basic("", TOKEN), 200],
  ])("is needed: %s", async (_, authorization, status) => {
    const { port } = await serve({ token: TOKEN });
    const headers = authorization === undefined ? {} : { authorization };
    for (const path of ["/", "/metrics", "/api/shards", `/attest?nonce=${"00".repeat(16)}`]) {
      const answer = await ask(port, { path, headers });
      expect(answer.status).toBe(status);
      expect(answer.headers["www-authenticate"] ?? "").toMatch(status === 401 ? /^Basic realm=.*Bearer realm=/ : /^$/);
      expect(answer.body).not.toContain(TOKEN);
    }
    for (const path of ["/api/events", "/nothing", "/attest?name"]) {
      if (status === 401) expect((await ask(port, { path, headers })).status).toBe(401);
    }
    expect((await ask(port, { path: "/healthz", headers })).status).toBe(200);
    expect((await ask(port, { path: "/readyz", headers })).status).toBe(503);
  });

  it("is needed once only", async () => {
    const { port } = await serve({ token: TOKEN });
    const text = `GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`;
    expect(await sendRaw(port, text)).toMatch(/^HTTP\/1.1 400 /);
  });

  it("may hold a colon and other characters", async () => {
    const { port } = await serve({ token: "tök:en" });
    expect((await ask(port, { headers: { authorization: basic("a", "tök:en") } })).status).toBe(200);
  });

  it("must be there beyond this machine", async () => {
    for (const host of ["0.0.0.0", "::", "10.0.0.1"]) {
      const error = await serve({ listen: { host, port: 0 } }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(VramError);
      expect(error).toMatchObject({ code: "INVALID_CONFIG", details: { argument: "token" } });
    }
  });
});

describe("an error of the service", () => {
  it("is answered without its message, and the service goes on", async () => {
    const secret = new Error("/var/lib/secret at 0x7f00");
    const warnings: string[] = [];
    process.on("warning", ({ message }) => warnings.push(message));
    const { port } = await serve({
      view: fakeView({
        snapshot: () => { throw secret; },
        metrics: () => Promise.reject(secret),
        attest: () => Promise.reject(new VramError("STOPPED", "the service is sealing")),
      }),
      page: () => { throw secret; },
    });
    for (const path of ["/", "/metrics", "/api/shards"]) {
      const { status, body } = await ask(port, { path });
      expect([status, body]).toEqual([500, '{"error":{"code":"INTERNAL","message":"the request failed"}}']);
    }
    const { status, body } = await ask(port, { path: `/attest?nonce=${"00".repeat(16)}` });
    expect([status, body]).toEqual([503, '{"error":{"code":"STOPPED","message":"the service is sealing"}}']);
    expect((await ask(port, { path: "/healthz" })).status).toBe(200);
    expect(warnings.filter((message) => message.includes("A request to the service failed: Error"))).toHaveLength(3);
    expect(warnings.join()).not.toContain("secret");
  });
});
