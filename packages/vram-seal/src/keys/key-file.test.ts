import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { errorOf, failureOf, withDirectory, writeWithMode } from "../../test/support/fixtures.js";
import type { SealError } from "../seal-error.js";
import { createKeyFile } from "./create-key-file.js";
import { fromKeyFile } from "./from-key-file.js";
import { fromSystemdCredential } from "./from-systemd-credential.js";

const refused = (reason: string) => ({ code: "INVALID_INPUT", reason });

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A thread, in which mutation tests run, has neither a umask nor a working directory of its own. */
const itInProcess = it.runIf(isMainThread);

describe("CI-005 key files", () => {
  it("are made new, 32 random bytes with mode 0600, and read back as the same key", async () => {
    await withDirectory(async (directory) => {
      const paths = [join(directory, "one"), join(directory, "two")] as const;
      const created = await createKeyFile(paths[0]);
      expect(await stat(paths[0])).toMatchObject({ mode: 0o100600, size: 32, nlink: 1 });
      expect((await fromKeyFile(paths[0])).keyId).toBe(created.keyId);
      expect((await createKeyFile(paths[1])).keyId).not.toBe(created.keyId);
    });
  });

  itInProcess("have mode 0600 whatever the umask", async () => {
    await withDirectory(async (directory) => {
      const before = process.umask(0o777);
      try {
        await createKeyFile(join(directory, "key"));
      } finally {
        process.umask(before);
      }
      expect((await stat(join(directory, "key"))).mode).toBe(0o100600);
    });
  });

  it("are never overwritten, nor written through a link", async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, "key");
      await writeFile(path, "precious");
      expect(await failureOf(() => createKeyFile(path))).toEqual(refused("exists"));
      expect(await readFile(path, "utf8")).toBe("precious");
      await symlink("elsewhere", join(directory, "link"));
      expect(await failureOf(() => createKeyFile(join(directory, "link")))).toEqual(refused("exists"));
      await expect(stat(join(directory, "elsewhere"))).rejects.toMatchObject({ code: "ENOENT" });
    });
  });

  itInProcess("are read through a relative path", async () => {
    await withDirectory(async (directory) => {
      const before = process.cwd();
      process.chdir(directory);
      try {
        const { keyId } = await createKeyFile("key");
        expect((await fromKeyFile("./key")).keyId).toBe(keyId);
      } finally {
        process.chdir(before);
      }
    });
  });
});

describe("CI-006 fromKeyFile refuses", () => {
  const cases: readonly (readonly [reason: string, title: string, make: (path: string) => Promise<unknown>])[] = [
    ["symbolic-link", "a symbolic link to a good key", async (path) => {
      await createKeyFile(`${path}-real`);
      await symlink(`${path}-real`, path);
    }],
    ["not-a-regular-file", "a directory", (path) => mkdir(path)],
    ["not-a-regular-file", "a FIFO, without waiting for its writer", (path) => Promise.resolve(execFileSync("mkfifo", ["-m", "600", path]))],
    ["hard-linked", "a file with two names", async (path) => {
      await createKeyFile(path);
      await link(path, `${path}-other`);
    }],
    ["permissive-mode", "a file the group can read", (path) => writeWithMode(path, randomBytes(32), 0o640)],
    ["permissive-mode", "a file others can read", (path) => writeWithMode(path, randomBytes(32), 0o604)],
    ["permissive-mode", "root's 0440 outside the credentials directory", (path) => writeWithMode(path, randomBytes(32), 0o440)],
    ["wrong-length", "an empty file", (path) => writeWithMode(path, Buffer.alloc(0), 0o600)],
    ["wrong-length", "31 bytes", (path) => writeWithMode(path, randomBytes(31), 0o600)],
    ["wrong-length", "33 bytes", (path) => writeWithMode(path, randomBytes(33), 0o600)],
    ["wrong-length", "64 hexadecimal characters", (path) => writeWithMode(path, Buffer.from("ab".repeat(32)), 0o600)],
    ["zero-key", "32 zero bytes", (path) => writeWithMode(path, Buffer.alloc(32), 0o600)],
    ["parent-writable", "a good key in a directory that the group can write to", async (path) => {
      await createKeyFile(path);
      await chmod(dirname(path), 0o770);
    }],
    ["parent-writable", "a good key in a directory that all can write to, sticky", async (path) => {
      await createKeyFile(path);
      await chmod(dirname(path), 0o1777);
    }],
  ];
  const rows: string[] = [];
  it.each(cases)("as %s: %s", async (reason, title, make) => {
    await withDirectory(async (directory) => {
      const path = join(directory, "seal-key");
      await make(path);
      const error = await errorOf(() => fromKeyFile(path));
      expect(error).toMatchObject({ code: "INVALID_INPUT", details: { reason, file: "seal-key" } });
      expectNoPath(error, directory);
      rows.push(`| ${title} | \`${reason}\` | ${error.message} |`);
    });
  });

  it("each as the guide's table says", async () => {
    const head = "# Refused key files\n\nWritten by the test of `fromKeyFile`: what it refused, the error's `details.reason`, and its message.\n\n| file | reason | message |\n|---|---|---|\n";
    await expect(`${head}${rows.join("\n")}\n`).toMatchFileSnapshot("../../../../docs/guide/refused-key-files.md");
  });

  it.each([0o770, 0o777, 0o1777, 0o702])("as parent-writable: a directory of mode %o, for reading and for making", async (mode) => {
    await withDirectory(async (directory) => {
      const parent = join(directory, "open");
      await mkdir(parent);
      await createKeyFile(join(parent, "key"));
      await chmod(parent, mode);
      expect(await failureOf(() => fromKeyFile(join(parent, "key")))).toEqual(refused("parent-writable"));
      expect(await failureOf(() => createKeyFile(join(parent, "new")))).toEqual(refused("parent-writable"));
    });
  });

  it("the directory a linked parent leads to, not the link", async () => {
    await withDirectory(async (directory) => {
      await mkdir(join(directory, "open"));
      await createKeyFile(join(directory, "open", "key"));
      await symlink("open", join(directory, "safe"));
      expect((await fromKeyFile(join(directory, "safe", "key"))).keyId).toMatch(/^[0-9a-f]{16}$/);
      await chmod(join(directory, "open"), 0o777);
      expect(await failureOf(() => fromKeyFile(join(directory, "safe", "key")))).toEqual(refused("parent-writable"));
    });
  });

  it("a missing file or directory, and a file as a directory", async () => {
    await withDirectory(async (directory) => {
      await writeFile(join(directory, "file"), "");
      const missing = { code: "KEY_UNAVAILABLE", reason: "missing" };
      expect(await failureOf(() => fromKeyFile(join(directory, "absent")))).toEqual(missing);
      expect(await failureOf(() => fromKeyFile(join(directory, "absent", "key")))).toEqual(missing);
      expect(await failureOf(() => createKeyFile(join(directory, "absent", "key")))).toEqual(missing);
      expect(await failureOf(() => fromKeyFile(join(directory, "file", "key")))).toEqual(refused("parent-not-a-directory"));
      expectNoPath(await errorOf(() => fromKeyFile(join(directory, "absent"))), directory);
    });
  });

  it.each([undefined, null, "", "/", ".", "a/..", "a\0b", "key\n", Buffer.from("key")])("the path %j", async (path) => {
    for (const operation of [fromKeyFile, createKeyFile]) {
      const error = await errorOf(() => operation(path as string));
      expect(error).toMatchObject({ code: "INVALID_INPUT", details: { argument: "path" } });
    }
  });
});

describe("CI-006 fromSystemdCredential", () => {
  it("reads a credential directly inside $CREDENTIALS_DIRECTORY", async () => {
    await withDirectory(async (directory) => {
      vi.stubEnv("CREDENTIALS_DIRECTORY", directory);
      const { keyId } = await createKeyFile(join(directory, "seal-key"));
      expect((await fromSystemdCredential("seal-key")).keyId).toBe(keyId);
    });
  });

  it.each(["", ".", "..", "../seal-key", "a/b", "/etc/passwd", "a\0", "a\\b", "é", "a".repeat(256), undefined, 1])("refuses the name %j", async (name) => {
    await withDirectory(async (directory) => {
      vi.stubEnv("CREDENTIALS_DIRECTORY", directory);
      const error = await errorOf(() => fromSystemdCredential(name as string));
      expect(error).toMatchObject({ code: "INVALID_INPUT", details: { argument: "name" } });
    });
  });

  it.each([undefined, "", "relative"])("refuses the directory %j", async (directory) => {
    vi.stubEnv("CREDENTIALS_DIRECTORY", directory);
    expect(await failureOf(() => fromSystemdCredential("seal-key"))).toEqual({
      code: "KEY_UNAVAILABLE",
      reason: "no-credentials-directory",
    });
  });

  it("keeps the rules of key files", async () => {
    await withDirectory(async (directory) => {
      vi.stubEnv("CREDENTIALS_DIRECTORY", directory);
      await writeWithMode(join(directory, "open"), randomBytes(32), 0o644);
      expect(await failureOf(() => fromSystemdCredential("open"))).toEqual(refused("permissive-mode"));
      await symlink("open", join(directory, "link"));
      expect(await failureOf(() => fromSystemdCredential("link"))).toEqual(refused("symbolic-link"));
      expect((await failureOf(() => fromSystemdCredential("absent"))).reason).toBe("missing");
    });
  });
});

function expectNoPath(error: SealError, directory: string): void {
  expect(error.cause).toBeUndefined();
  expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain(directory);
}
