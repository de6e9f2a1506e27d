import { appendFile, open, rm, truncate, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { digestFile, measureFile } from "../src/index.js";
import { MIB, expectCode, pattern } from "./simulated.js";
import vectors from "./vectors/fsverity.json" with { type: "json" };

async function fileWith(bytes: Uint8Array): Promise<{ readonly path: string; readonly handle: FileHandle }> {
  const path = join(tmpdir(), `vram-digest-${randomUUID()}`);
  await writeFile(path, bytes);
  const handle = await open(path);
  onTestFinished(async () => {
    await handle.close();
    await rm(path);
  });
  return { path, handle };
}

describe("digestFile", () => {
  it.each(vectors.vectors.filter(({ salt }) => salt === ""))("CI-004 gives the fs-verity command's digest of $size bytes", async ({ size, digest }) => {
    const { handle } = await fileWith(pattern(size));
    expect(await digestFile(handle.fd)).toBe(digest);
    for (const threads of [1, 2, 64]) expect(await digestFile(handle.fd, { threads })).toBe(digest);
  });

  it.each([0, -1, 1e9, 65, 1.5, NaN, "2", null])("IV-001 refuses %s threads", async (threads) => {
    const { handle } = await fileWith(pattern(10));
    const error = await expectCode(digestFile(handle.fd, { threads: threads as number }), "INVALID_INPUT");
    expect(error.details).toEqual({ argument: "threads" });
  });

  it.each([-1, 1.5, NaN, 2 ** 31, "0"])("IV-001 refuses the descriptor %s", async (fd) => {
    await expectCode(digestFile(fd as number), "INVALID_INPUT");
    expect(() => measureFile(fd as number)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });

  it("refuses a folder", async () => {
    const folder = await open(tmpdir());
    onTestFinished(() => folder.close());
    await expectCode(digestFile(folder.fd), "INVALID_INPUT");
  });

  it("tells progress, and ends when it is aborted, by a signal or by what progress throws", async () => {
    const { handle } = await fileWith(pattern(20 * MIB));
    const seen: number[] = [];
    await digestFile(handle.fd, { onProgress: (done, total) => { seen.push(done / total); } });
    expect(seen.at(-1)).toBe(1);
    expect((await expectCode(digestFile(handle.fd, { signal: AbortSignal.abort("enough") }), "ABORTED")).cause).toBe("enough");
    const thrown = new Error("enough");
    const error = await expectCode(digestFile(handle.fd, { onProgress: () => { throw thrown; } }), "ABORTED");
    expect(error.cause).toBe(thrown);
  });

  it.each([
    ["grows", (path: string) => appendFile(path, "x")],
    ["shrinks", (path: string) => truncate(path, 5)],
  ])("TT-3 refuses a file that %s meanwhile", async (_, change) => {
    const { path, handle } = await fileWith(pattern(64 * MIB));
    let changing: Promise<void> | undefined;
    const running = digestFile(handle.fd, { threads: 1, onProgress: () => { changing ??= change(path); } });
    await expectCode(running.finally(() => changing), "INVALID_INPUT");
  });

  it("does not keep the event loop from turning", async () => {
    const { handle } = await fileWith(pattern(64 * MIB));
    let turns = 0;
    const timer = setInterval(() => { turns += 1; }, 1);
    onTestFinished(() => { clearInterval(timer); });
    await digestFile(handle.fd, { threads: 1 });
    expect(turns).toBeGreaterThan(0);
  });

  it("measures nothing of a file that the kernel does not protect", async () => {
    const { handle } = await fileWith(pattern(10));
    expect(measureFile(handle.fd)).toBe(null);
  });
});
