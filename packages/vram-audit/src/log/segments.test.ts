import { describe, expect, it } from "vitest";
import { SegmentTally } from "../storage/segment-tally.js";
import { MerkleTree } from "../tree/merkle-tree.js";
import type { LogDirectory, RawFile } from "./log-directory.js";
import { Segments } from "./segments.js";

const FIRST = "audit-v1.0000000000000001.jsonl";
const SECOND = "audit-v1.0000000000000002.jsonl";

/** A directory that notes what is done to it and to its files. */
function noting(calls: string[]) {
  const note = (call: string) => {
    calls.push(call);
    return Promise.resolve();
  };
  const file = (name: string): RawFile => ({
    read: () => Promise.resolve({ bytesRead: 0 }),
    stat: () => Promise.resolve({ size: 0 }),
    write: async (_buffer, _offset, length) => {
      await note(`write ${name}`);
      return { bytesWritten: length };
    },
    datasync: () => note(`datasync ${name}`),
    truncate: () => note(`truncate ${name}`),
    close: () => note(`close ${name}`),
  });
  const directory: LogDirectory = {
    names: () => Promise.resolve([]),
    openFile: (name) => Promise.resolve(file(name)),
    createFile: async (name) => {
      await note(`create ${name}`);
      return file(name);
    },
    remove: (name) => note(`remove ${name}`),
    sync: () => note("sync the directory"),
  };
  return new Segments(directory, [], { name: FIRST, tally: new SegmentTally(1, 0) }, file(FIRST));
}

describe("segments", () => {
  it("are begun by a name that is durable before a line is in the file", async () => {
    const calls: string[] = [];
    const segments = noting(calls);
    await segments.append([Buffer.from("{}")]);
    await segments.begin(new MerkleTree(1, [Buffer.alloc(32)]), 5);
    await segments.append([Buffer.from("{}")]);
    expect(calls).toEqual([
      ...[`write ${FIRST}`, `datasync ${FIRST}`, `create ${SECOND}`, `close ${FIRST}`],
      ...["sync the directory", `write ${SECOND}`, `datasync ${SECOND}`],
    ]);
    expect(segments.closed).toMatchObject([{ name: FIRST, facts: { first: 1, last: 1, bytes: 3 }, closedAtMs: 5 }]);
  });

  it("are removed one after another, each durably before the next", async () => {
    const calls: string[] = [];
    const segments = noting(calls);
    for (const size of [1, 2]) {
      await segments.append([Buffer.from("{}")]);
      await segments.begin(new MerkleTree(size, [Buffer.alloc(32)]), size);
    }
    calls.length = 0;
    await segments.remove(segments.closed);
    expect(calls).toEqual([`remove ${FIRST}`, "sync the directory", `remove ${SECOND}`, "sync the directory"]);
    expect(segments.closed).toEqual([]);
  });
});
