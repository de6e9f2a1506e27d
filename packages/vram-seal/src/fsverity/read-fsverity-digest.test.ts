import { execFileSync } from "node:child_process";
import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import { type FileHandle, open, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorOf, withDirectory } from "../../test/support/fixtures.js";
import { fsverityVectors, patternedBytes } from "../../test/support/vectors.js";
import { fsverityDigest } from "./fsverity-hasher.js";
import { readFsverityDigest } from "./read-fsverity-digest.js";

const MIB = 1 << 20;

describe("CI-004 readFsverityDigest", () => {
  it.each(fsverityVectors.filter(({ size }) => size < 64 * MIB))("reads $size bytes, salt '$salt'", async ({ size, salt, digest }) => {
    const options = { salt: Buffer.from(salt, "hex") };
    const found = await withFile(patternedBytes(size), (file) => readFsverityDigest(file, options));
    expect(found).toBe(digest);
  });

  it("reads from the start whatever the position, tells progress, and leaves the file open", async () => {
    const data = patternedBytes(2 * MIB + 5);
    await withFile(data, async (file) => {
      await file.read(Buffer.alloc(10), 0, 10);
      const progress: [number, number | null][] = [];
      const digest = await readFsverityDigest(file, { onProgress: (...step) => progress.push(step) });
      expect(digest).toBe(fsverityDigest(data));
      expect(progress).toEqual([MIB, 2 * MIB, data.length].map((doneBytes) => [doneBytes, data.length]));
      expect((await file.stat()).size).toBe(data.length);
    });
  });

  it("hashes a stream of chunks in pieces of at most 1 MiB", async () => {
    const data = patternedBytes(3 * MIB + 1);
    const doneBytes: number[] = [];
    const chunks = streamOf([data.subarray(0, 1), new Uint8Array(), data.subarray(1)]);
    const digest = await readFsverityDigest(chunks, { onProgress: (done) => doneBytes.push(done) });
    expect(digest).toBe(fsverityDigest(data));
    expect(doneBytes).toEqual([1, 1, MIB + 1, 2 * MIB + 1, data.length]);
  });

  it("lets timers run between the pieces of one large chunk", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await readFsverityDigest(streamOf([patternedBytes(32 * MIB)]));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(4);
  });

  it("stops when aborted, before and between pieces", async () => {
    const reason = new Error("enough");
    const aborted = await errorOf(() => readFsverityDigest(streamOf([]), { signal: AbortSignal.abort(reason) }));
    expect(aborted).toMatchObject({ code: "ABORTED", cause: reason });

    const controller = new AbortController();
    let doneBytes = 0;
    const onProgress = (done: number): void => {
      doneBytes = done;
      controller.abort();
    };
    const reading = withFile(patternedBytes(3 * MIB), (file) => readFsverityDigest(file, { signal: controller.signal, onProgress }));
    expect((await errorOf(() => reading)).code).toBe("ABORTED");
    expect(doneBytes).toBe(MIB);
  });

  it("passes an error of the stream through and closes the stream", async () => {
    const failure = new Error("the caller's own");
    await expect(readFsverityDigest(failing(failure))).rejects.toBe(failure);
    let closed = false;
    const endless = (async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield await Promise.resolve(Buffer.of(1));
      } finally {
        closed = true;
      }
    })();
    const controller = new AbortController();
    const onProgress = (): void => {
      controller.abort();
    };
    expect((await errorOf(() => readFsverityDigest(endless, { signal: controller.signal, onProgress }))).code).toBe("ABORTED");
    expect(closed).toBe(true);
  });

  const changes: Record<string, (path: string) => void> = {
    grows: (path) => {
      appendFileSync(path, "x");
    },
    shrinks: (path) => {
      truncateSync(path, MIB);
    },
    "is written again": (path) => {
      writeFileSync(path, patternedBytes(3 * MIB));
    },
  };
  it.each(Object.entries(changes))("refuses a file that %s meanwhile", async (_, change) => {
    await withDirectory(async (directory) => {
      const path = join(directory, "model");
      await writeFile(path, patternedBytes(3 * MIB));
      await utimes(path, 0, 0);
      const file = await open(path);
      const onProgress = (doneBytes: number): void => {
        if (doneBytes === MIB) change(path);
      };
      const error = await errorOf(() => readFsverityDigest(file, { onProgress }));
      await file.close();
      expect(error).toMatchObject({ code: "INVALID_INPUT", details: { reason: "changed" } });
    });
  });

  it("refuses a directory, a FIFO and a closed handle", async () => {
    await withDirectory(async (directory) => {
      const handle = await open(directory);
      expect((await errorOf(() => readFsverityDigest(handle))).details["reason"]).toBe("not-a-regular-file");
      await handle.close();
      const closed = await errorOf(() => readFsverityDigest(handle));
      expect(closed).toMatchObject({ code: "INVALID_INPUT", details: { reason: "unreadable", errno: "EBADF" } });

      execFileSync("mkfifo", [join(directory, "fifo")]);
      const fifo = await open(join(directory, "fifo"), "r+");
      expect((await errorOf(() => readFsverityDigest(fifo))).details["reason"]).toBe("not-a-regular-file");
      await fifo.close();
    });
  });

  it.each([undefined, null, "path", 3, {}, [Buffer.of(1)]])("refuses the source %j", async (source) => {
    expect((await errorOf(() => readFsverityDigest(source as FileHandle))).code).toBe("INVALID_INPUT");
  });

  it("refuses a stream of anything but bytes", async () => {
    const chunks = streamOf(["text"] as unknown as Uint8Array[]);
    expect((await errorOf(() => readFsverityDigest(chunks))).code).toBe("INVALID_INPUT");
  });
});

function withFile<T>(data: Uint8Array, use: (file: FileHandle) => Promise<T>): Promise<T> {
  return withDirectory(async (directory) => {
    const path = join(directory, "data");
    await writeFile(path, data);
    const file = await open(path);
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  });
}

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.of(1));
  throw error;
}
