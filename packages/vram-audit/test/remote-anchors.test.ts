import { readFile, stat } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { commandAnchor, httpAnchor } from "../src/index.js";
import { madeUp, never, openAnchored } from "./support/anchors.js";
import { sampleNotes } from "./support/sample-log.js";
import { auditErrorOf, scratch } from "./support/scratch.js";

const newDirectory = scratch();

describe("a command as anchor", () => {
  it("gets the checkpoint on its standard input, and an environment without secrets", async () => {
    const file = join(newDirectory(), "kept");
    const { dir, log } = await openAnchored(newDirectory(), commandAnchor(["sh", "-c", 'cat > "$0"; env > "$0.env"', file]));
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
    const error = await auditErrorOf(commandAnchor(command).keep({ ...madeUp(1), note: "x".repeat(1_000_000) }, never));
    expect([error.code, error.details["reason"]]).toEqual(["AUDIT_UNAVAILABLE", reason]);
    expect(error.message).not.toContain("/");
  });

  it("is no line for a shell", async () => {
    const file = join(newDirectory(), "made");
    await commandAnchor(["true", `; touch ${file}`]).keep(madeUp(1), never);
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });

  it("is killed when its time is up", async () => {
    const file = join(newDirectory(), "late");
    const controller = new AbortController();
    const kept = commandAnchor(["sh", "-c", 'echo $$ > "$0"; exec sleep 20', file]).keep(madeUp(1), controller.signal);
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
    const { dir, log } = await openAnchored(newDirectory(), httpAnchor(url));
    await log.close();
    expect(bodies.at(-1)).toBe(`POST ${(await sampleNotes(dir)).at(-1) ?? ""}`);
    expect(log.anchors[0]).toMatchObject({ keptSize: 2, failures: 0 });
  });

  it.each([404, 500, 301])("that answers %d has not kept it", async (status) => {
    const url = await serve((request, response) => response.writeHead(request.url === "/other" ? 204 : status, { location: "/other" }).end());
    const error = await auditErrorOf(httpAnchor(url).keep(madeUp(1), never));
    expect(error.code).toBe("AUDIT_UNAVAILABLE");
    expect(error.details).toMatchObject(status === 301 ? { reason: "http" } : { reason: "status", status });
    expect(error.message).not.toContain("127");
  });

  it("that is not there, or does not answer in time, has not kept it", async () => {
    const url = await serve(() => undefined);
    const { log } = await openAnchored(newDirectory(), httpAnchor(url, { timeoutMs: 100 }));
    await log.close();
    expect(log.anchors[0]).toMatchObject({ keptSize: 0, lastFailure: "TIMEOUT" });
    const error = await auditErrorOf(httpAnchor("http://127.0.0.1:9/").keep(madeUp(1), never));
    expect(error.details["reason"]).toBe("http");
  });

  it("is reached with the caller's fetch", async () => {
    const urls: unknown[] = [];
    const request: typeof fetch = (url) => { urls.push(url); return Promise.resolve(new Response("kept")); };
    await httpAnchor("https://witness.example/", { fetch: request }).keep(madeUp(1), never);
    expect(urls).toEqual(["https://witness.example/"]);
  });

  it.each(["http://witness.example/", "http://127.0.0.1.example/", "https://user:secret@witness.example/", "file:///etc", "nothing", undefined])("%j is refused", (url) => {
    expect(() => httpAnchor(url as never)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });
});
