import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LINE_MAX_BYTES } from "../events/line.js";
import { type FileLine, type ReadableFile, readLines } from "./read-lines.js";

/** A file that grows by a part each time a read has found its end. */
function growing(first: string, ...later: readonly string[]): ReadableFile {
  let content = Buffer.from(first);
  const parts = [...later];
  return {
    read: (buffer, offset, length, position) => {
      const bytesRead = content.copy(buffer, offset, position, position + length);
      if (bytesRead === 0) content = Buffer.concat([content, Buffer.from(parts.shift() ?? "")]);
      return Promise.resolve({ bytesRead });
    },
  };
}

async function collect(file: ReadableFile, limit: number): Promise<FileLine[]> {
  const lines: FileLine[] = [];
  for await (const line of readLines(file, limit)) lines.push(line);
  return lines;
}

const texts = (lines: readonly FileLine[]) => lines.map(({ bytes }) => bytes.toString());

describe("reading lines", () => {
  it("gives every line and where it ends", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.stringMatching(/^[a-z]{0,40}$/), { maxLength: 30 }), async (lines) => {
        const content = lines.map((line) => `${line}\n`).join("");
        const read = await collect(growing(content), content.length);
        expect(texts(read)).toEqual(lines);
        expect(read.at(-1)?.end ?? 0).toBe(content.length);
      }),
    );
  });

  it("waits for the rest of a line that is being written", async () => {
    const read = await collect(growing("one\ntw", "", "o\nthree\n"), 6);
    expect(texts(read)).toEqual(["one", "two"]);
    expect(read.every(({ complete }) => complete)).toBe(true);
  });

  it("gives up on a line that nobody finishes", async () => {
    expect(await collect(growing("one\ntwo"), 7)).toMatchObject([{ complete: true }, { complete: false, end: 7 }]);
  });

  it("stops at lines that begin behind the limit", async () => {
    expect(texts(await collect(growing("one\ntwo\nthree\n"), 5))).toEqual(["one", "two"]);
    expect(await collect(growing("one\n"), 0)).toEqual([]);
  });

  it("holds no more of an endless line than shows that it is too long", async () => {
    const [line, next] = await collect(growing(`${"x".repeat(3 * LINE_MAX_BYTES)}\ny\n`), Number.POSITIVE_INFINITY);
    expect(line?.bytes.length).toBeGreaterThan(LINE_MAX_BYTES);
    expect(line?.bytes.length).toBeLessThan(LINE_MAX_BYTES + 200_000);
    expect([line?.end, next?.bytes.toString()]).toEqual([3 * LINE_MAX_BYTES + 1, "y"]);
  });
});
