import { constants } from "node:fs";
import type { BigIntStats } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { measureFile } from "vram-cuda";
import { VramError, invalidInput } from "../errors.js";
import { changed, checkedByteLength } from "./model-source.js";
import type { BlockReader, OpenSource } from "./model-source.js";

/**
 * One descriptor from here to the seal.
 * @throws VramError `INVALID_INPUT` for a file that is missing, unreadable, empty or not a regular one.
 */
export async function openFileSource(source: string | URL): Promise<OpenSource> {
  const path = filePath(source);
  const fileName = basename(path);
  const handle = await openToRead(path);
  try {
    const before = await handle.stat({ bigint: true });
    if (!before.isFile()) throw invalidInput("source", "be a regular file");
    const byteLength = checkedByteLength(Number(before.size));
    let position = 0;
    return {
      byteLength,
      fileName,
      measuredDigest: measureFile(handle.fd) ?? undefined,
      firstReading: undefined,
      reread: blockReader(resolve(path), byteLength),
      async readHead(length) {
        const head = await readExactly(handle, fileName, { position, length });
        position += length;
        return head;
      },
      async load(allocation, head, { onProgress, ...options }) {
        const offset = head.byteLength;
        try {
          await allocation.append(head);
          await allocation.appendFile(handle.fd, byteLength - offset, {
            ...options,
            offset,
            ...(onProgress && { onProgress: (done) => { onProgress(offset + done, byteLength); } }),
          });
        } catch (error) {
          if ((await handle.stat({ bigint: true })).size < before.size) throw changed();
          throw error;
        }
        if (!sameFile(before, await handle.stat({ bigint: true }))) throw changed();
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error instanceof VramError ? error : unreadable(fileName, error);
  }
}

const BLOCK_BYTES = 4096;

function blockReader(path: string, byteLength: number): BlockReader {
  return async (blocks) => {
    const handle = await openToRead(path);
    try {
      const read: Uint8Array[] = [];
      for (const block of blocks) {
        const position = block * BLOCK_BYTES;
        read.push(await readExactly(handle, basename(path), { position, length: Math.min(BLOCK_BYTES, byteLength - position) }));
      }
      return read;
    } finally {
      await handle.close();
    }
  };
}

/** O_NONBLOCK: opening a FIFO must not wait for a writer. */
export async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(basename(path), error);
  }
}

export function filePath(source: string | URL): string {
  if (typeof source === "string") {
    if (source === "" || source.includes("\0")) throw invalidInput("source", "be a path without NUL characters");
    return source;
  }
  try {
    return fileURLToPath(source);
  } catch {
    throw invalidInput("source", "be a file URL");
  }
}

/** The bare name of a source that is a file. */
export function fileNameOf(source: unknown): string | undefined {
  return typeof source === "string" || source instanceof URL ? basename(filePath(source)) : undefined;
}

/** @throws VramError `INVALID_INPUT` if the file cannot be read, `INTEGRITY_VIOLATION` if it ends before. */
export async function readExactly(
  handle: FileHandle,
  fileName: string,
  { position, length }: { readonly position: number; readonly length: number },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done).catch((error: unknown) => {
      throw unreadable(fileName, error);
    });
    if (bytesRead === 0) throw changed();
    done += bytesRead;
  }
  return bytes;
}

/** The error of the file system names the path, so only its code is kept. */
function unreadable(name: string, error: unknown): VramError {
  const errno = error instanceof Error && "code" in error ? String(error.code) : "EIO";
  return new VramError("INVALID_INPUT", `source must be a readable file (${errno}); check that it exists and its permissions`, {
    details: { argument: "source", file: /^[\w.+@=-]{1,255}$/.test(name) ? name : null, errno },
  });
}

function sameFile(before: BigIntStats, after: BigIntStats): boolean {
  return before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
}
