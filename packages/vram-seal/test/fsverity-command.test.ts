import { randomBytes } from "node:crypto";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { type FsverityOptions, readFsverityDigest } from "../src/index.js";
import { withDirectory } from "./support/fixtures.js";
import { itWithTool, runTool } from "./support/tool.js";
import { fsverityVectors, patternedBytes } from "./support/vectors.js";

const itWithFsverity = itWithTool("fsverity");

describe("CI-004 the digest equals what the fsverity command prints", () => {
  itWithFsverity.each(fsverityVectors)("for the vector of $size bytes, salt '$salt'", async ({ size, salt, digest }) => {
    const digests = await bothDigests(patternedBytes(size), salt);
    expect(digests).toEqual({ ours: digest, command: digest });
  });

  itWithFsverity("for files of random length and content", async () => {
    for (const scale of [10, 5_000, 600_000, 3_000_000]) {
      const { ours, command } = await bothDigests(randomBytes(Math.ceil(Math.random() * scale)), "");
      expect(ours).toBe(command);
    }
  });
});

function bothDigests(data: Uint8Array, salt: string): Promise<{ readonly ours: string; readonly command: string }> {
  return withDirectory(async (directory) => {
    const path = join(directory, "data");
    await writeFile(path, data);
    const options: FsverityOptions = { salt: Buffer.from(salt, "hex") };
    const file = await open(path);
    try {
      const saltFlag = salt === "" ? [] : [`--salt=${salt}`];
      const command = runTool("fsverity", ["digest", "--compact", ...saltFlag, path]).toString().trim();
      return { ours: await readFsverityDigest(file, options), command };
    } finally {
      await file.close();
    }
  });
}
