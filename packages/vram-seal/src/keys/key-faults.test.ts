import { generateKeyPairSync } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { errorOf, failureOf, withDirectory, writeWithMode } from "../../test/support/fixtures.js";
import { fromAttestationKeyFile } from "../attestation/attestation-key.js";
import { createKeyFile } from "./create-key-file.js";
import { fromKeyFile } from "./from-key-file.js";
import { fromSystemdCredential } from "./from-systemd-credential.js";

const disk = vi.hoisted(() => ({
  opened: [] as FileHandle[],
  /** Runs before each open, and with each handle after it. */
  beforeOpen: (): void => undefined,
  afterOpen: undefined as ((handle: FileHandle) => void) | undefined,
}));

vi.mock("node:fs/promises", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:fs/promises")>();
  return {
    ...original,
    open: async (...options: Parameters<typeof original.open>) => {
      disk.beforeOpen();
      const handle = await original.open(...options);
      disk.opened.push(handle);
      vi.spyOn(handle, "sync");
      vi.spyOn(handle, "close");
      disk.afterOpen?.(handle);
      return handle;
    },
  };
});

beforeEach(() => {
  Object.assign(disk, { opened: [], beforeOpen: () => undefined, afterOpen: undefined });
});

const systemError = (code: unknown) => Object.assign(new Error("/secret/path"), { code });
const times = (method: "sync" | "close") => disk.opened.map((handle) => vi.mocked(handle)[method].mock.calls.length);

/** A key file in a new directory. */
const withKey = <T>(use: (path: string, directory: string) => Promise<T>) =>
  withDirectory(async (directory) => {
    await writeWithMode(join(directory, "key"), Buffer.alloc(32, 7), 0o600);
    return use(join(directory, "key"), directory);
  });

describe("CI-005 createKeyFile", () => {
  it("syncs the file and its directory, closes both and wipes its copy", async () => {
    await withDirectory(async (directory) => {
      let written: Uint8Array = Buffer.alloc(0);
      disk.afterOpen = (handle) => {
        const writeFile = handle.writeFile.bind(handle);
        vi.spyOn(handle, "writeFile").mockImplementation((bytes) => {
          written = bytes as Uint8Array;
          return writeFile(bytes);
        });
      };
      await createKeyFile(join(directory, "key"));
      expect([times("sync"), times("close")]).toEqual([[1, 1], [1, 1]]);
      expect(Buffer.from(written)).toEqual(Buffer.alloc(32));
    });
  });

  it("leaves no half-written key on a full disk, and nothing open", async () => {
    await withDirectory(async (directory) => {
      let written: Uint8Array = Buffer.alloc(0);
      disk.afterOpen = (handle) => {
        vi.spyOn(handle, "writeFile").mockImplementation((bytes) => {
          written = bytes as Uint8Array;
          return Promise.reject(systemError("ENOSPC"));
        });
      };
      const path = join(directory, "key");
      expect(await errorOf(() => createKeyFile(path))).toMatchObject({
        code: "KEY_UNAVAILABLE",
        message: 'the key file "key" is unwritable (ENOSPC)',
        details: { reason: "unwritable", file: "key", errno: "ENOSPC" },
      });
      await expect(access(path)).rejects.toMatchObject({ code: "ENOENT" });
      expect(times("close")).toEqual([1]);
      expect(Buffer.from(written)).toEqual(Buffer.alloc(32));
    });
  });
});

describe("CI-005 a key file", () => {
  it.each([
    ["a seal key", fromKeyFile, Buffer.alloc(32, 7)],
    ["an attestation key", fromAttestationKeyFile, Buffer.from(generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }))],
    ["text", fromAttestationKeyFile, Buffer.from("secret text")],
    ["zeros", fromKeyFile, Buffer.alloc(32)],
  ])("of %s is closed, and what was read wiped from memory", async (_, read, content) => {
    await withDirectory(async (directory) => {
      const path = join(directory, "key");
      await writeWithMode(path, content, 0o600);
      let held: Uint8Array = Buffer.alloc(0);
      disk.afterOpen = (handle) => {
        const original = handle.read.bind(handle) as (...options: unknown[]) => Promise<{ bytesRead: number; buffer: Buffer }>;
        vi.spyOn(handle, "read").mockImplementation(((bytes: Uint8Array, ...rest: unknown[]) => {
          held = bytes;
          return original(bytes, ...rest);
        }) as never);
      };
      await read(path).catch(() => undefined);
      expect(times("close")).toEqual([1]);
      expect(Buffer.from(held)).toEqual(Buffer.alloc(content.length));
    });
  });

  it("that shrinks while it is read is refused", async () => {
    await withKey(async (path) => {
      disk.afterOpen = (handle) => void vi.spyOn(handle, "read").mockResolvedValue({ bytesRead: 31, buffer: Buffer.alloc(32) });
      expect(await failureOf(() => fromKeyFile(path))).toEqual({ code: "INVALID_INPUT", reason: "wrong-length" });
    });
  });

  it.each([
    ["an unreadable file", systemError("EACCES"), "unreadable", "EACCES"],
    ["a number as code", systemError(5), "unreadable", "UNKNOWN"],
    ["an error without code", new Error("/secret/path"), "unreadable", "UNKNOWN"],
    ["no error", { code: "EACCES" }, "unreadable", "UNKNOWN"],
    ["undefined", undefined, "unreadable", "UNKNOWN"],
  ])("%s is told without its path", async (_, thrown, reason, errno) => {
    await withKey(async (path) => {
      disk.beforeOpen = () => {
        throw thrown as Error;
      };
      const { code, message, details } = await errorOf(() => fromKeyFile(path));
      expect({ code, message, details }).toEqual({
        code: "KEY_UNAVAILABLE",
        message: `the key file "key" is ${reason} (${errno})`,
        details: { reason, file: "key", errno },
      });
    });
  });

  it("below a file is in no directory, and / names no file", async () => {
    await withKey(async (path) => {
      expect(await failureOf(() => fromKeyFile(join(path, "folder/key")))).toEqual({ code: "INVALID_INPUT", reason: "parent-not-a-directory" });
    });
    expect(await errorOf(() => fromKeyFile("/"))).toMatchObject({ code: "INVALID_INPUT", message: "path must name a file" });
  });

  it("needs an operating system with file owners", async () => {
    const { geteuid } = process;
    Object.assign(process, { geteuid: undefined });
    try {
      expect(await errorOf(() => fromKeyFile("key"))).toMatchObject({
        code: "KEY_UNAVAILABLE",
        message: "key files need an operating system with POSIX file owners",
        details: { reason: "platform" },
      });
    } finally {
      Object.assign(process, { geteuid });
    }
  });

  it("CI-006 of root's with mode 0440 is a credential in $CREDENTIALS_DIRECTORY only", async () => {
    await withKey(async (path, directory) => {
      vi.stubEnv("CREDENTIALS_DIRECTORY", directory);
      disk.afterOpen = (handle) => {
        const facts = { mode: 0o100440, uid: 0, nlink: 1, size: 32, isFile: () => true, isDirectory: () => false };
        vi.spyOn(handle, "stat").mockResolvedValue(facts as never);
      };
      try {
        expect((await fromSystemdCredential("key")).keyId).toMatch(/^[0-9a-f]{16}$/);
        expect(await failureOf(() => fromKeyFile(path))).toEqual({ code: "INVALID_INPUT", reason: "permissive-mode" });
      } finally {
        vi.unstubAllEnvs();
      }
    });
  });
});
