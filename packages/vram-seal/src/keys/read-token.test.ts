import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { failureOf, withDirectory, writeWithMode } from "../../test/support/fixtures.js";
import { readTokenCredential, readTokenFile } from "./read-token.js";

const TOKEN = "0123456789abcdef0123456789ABCDE~";

describe("a token's file", () => {
  it("gives the token without its line feed", async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, "token");
      for (const content of [TOKEN, `${TOKEN}\n`, TOKEN.repeat(16)]) {
        await writeWithMode(path, Buffer.from(content), 0o600);
        expect(await readTokenFile(path)).toBe(content.trimEnd());
      }
      vi.stubEnv("CREDENTIALS_DIRECTORY", directory);
      expect(await readTokenCredential("token")).toHaveLength(512);
      vi.unstubAllEnvs();
    });
  });

  it.each([["short", TOKEN.slice(1)], ["long", `${TOKEN.repeat(16)}x`], ["with a blank", `${TOKEN} `], ["with two line feeds", `${TOKEN}\n\n`], ["not ASCII", `${TOKEN}ä`], ["empty", ""]])(
    "is refused where it is %s, and not repeated",
    async (_, content) => {
      await withDirectory(async (directory) => {
        const path = join(directory, "token");
        await writeWithMode(path, Buffer.from(content), 0o600);
        const failure = await failureOf(() => readTokenFile(path));
        expect(failure).toMatchObject({ code: "INVALID_INPUT", reason: "not-a-token" });
        expect(JSON.stringify(failure)).not.toContain("0123");
      });
    },
  );

  it("is refused where others can read it", async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, "token");
      await writeWithMode(path, Buffer.from(TOKEN), 0o640);
      expect(await failureOf(() => readTokenFile(path))).toMatchObject({ reason: "permissive-mode" });
    });
  });
});
