import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorOf } from "../../test/support/fixtures.js";
import { fsverityVectors, patternedBytes } from "../../test/support/vectors.js";
import { FsverityHasher, fsverityDigest } from "./fsverity-hasher.js";

describe("CI-004 fs-verity vectors", () => {
  it.each(fsverityVectors)("$size bytes, salt '$salt'", ({ size, salt, digest }) => {
    expect(fsverityDigest(patternedBytes(size), { salt: Buffer.from(salt, "hex") })).toBe(digest);
  });
});

describe("FsverityHasher", () => {
  it("gives the same digest for any chunking, equal to a tree built level by level", () => {
    const piece = fc.record({ byteLength: fc.integer({ min: 0, max: 300_000 }), fill: fc.nat(255) });
    const salt = fc.uint8Array({ maxLength: 32 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), salt, (pieces, salt) => {
        const chunks = pieces.map(({ byteLength, fill }) => Buffer.alloc(byteLength, fill));
        const streamed = chunks.reduce((hasher, chunk) => hasher.update(chunk), new FsverityHasher({ salt })).digest();
        const whole = Buffer.concat(chunks);
        expect(streamed).toBe(fsverityDigest(whole, { salt }));
        expect(streamed).toBe(levelByLevel(whole, salt));
      }),
      { numRuns: 40 },
    );
  });

  it.each([127, 128, 129, 128 * 128, 128 * 128 + 1])("agrees with a tree built level by level at %d blocks", (blocks) => {
    const data = patternedBytes(blocks * 4096 - 1);
    expect(fsverityDigest(data)).toBe(levelByLevel(data, new Uint8Array()));
  });

  it("takes single bytes and unaligned views", () => {
    const data = patternedBytes(8199).subarray(3);
    const hasher = new FsverityHasher();
    for (const byte of data) hasher.update(Uint8Array.of(byte));
    expect(hasher.digest()).toBe(fsverityDigest(data));
  });

  it("does not keep the caller's chunk or salt", () => {
    const [chunk, salt] = [Buffer.from("abc"), Buffer.from("salt")];
    const hasher = new FsverityHasher({ salt }).update(chunk);
    chunk.fill(0);
    salt.fill(0);
    expect(hasher.digest()).toBe(fsverityDigest(Buffer.from("abc"), { salt: Buffer.from("salt") }));
  });

  it("tells any two lengths of zeros apart", () => {
    const digests = [0, 1, 4095, 4096, 4097, 8192].map((byteLength) => fsverityDigest(new Uint8Array(byteLength)));
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("answers again, and takes nothing more, after digest()", async () => {
    const hasher = new FsverityHasher().update(Buffer.from("abc"));
    expect(hasher.digest()).toBe(hasher.digest());
    expect((await errorOf(() => hasher.update(Buffer.from("d")))).code).toBe("INVALID_INPUT");
  });

  const notBytes: unknown[] = [undefined, null, "abc", [1, 2], new ArrayBuffer(4), new Uint16Array(2)];
  it.each(notBytes.map((data) => ({ data: data as Uint8Array })))("refuses $data as data", async ({ data }) => {
    expect((await errorOf(() => fsverityDigest(data))).code).toBe("INVALID_INPUT");
    expect((await errorOf(() => new FsverityHasher().update(data))).code).toBe("INVALID_INPUT");
  });

  it.each([null, "00", new Uint8Array(33)])("refuses %j as salt", async (salt) => {
    expect((await errorOf(() => new FsverityHasher({ salt: salt as Uint8Array }))).details["argument"]).toBe("salt");
  });
});

/** The same tree the plain way: all digests of a level, then all of the next. */
function levelByLevel(data: Uint8Array, salt: Uint8Array): string {
  const prefix = Buffer.concat([salt, Buffer.alloc(salt.length === 0 ? 0 : 64 - salt.length)]);
  let level = hashBlocks(data, prefix);
  while (level.length > 32) level = hashBlocks(level, prefix);
  const size = Buffer.alloc(8);
  size.writeUInt32LE(data.length);
  const root = Buffer.concat([level, Buffer.alloc(64 - level.length)]);
  const saltField = Buffer.concat([salt, Buffer.alloc(32 - salt.length)]);
  const head = Buffer.of(1, 1, 12, salt.length, 0, 0, 0, 0);
  return sha256(Buffer.concat([head, size, root, saltField, Buffer.alloc(144)])).toString("hex");
}

function hashBlocks(data: Uint8Array, prefix: Uint8Array): Buffer {
  const digests: Buffer[] = [];
  for (let offset = 0; offset < data.length; offset += 4096) {
    const block = data.subarray(offset, offset + 4096);
    digests.push(sha256(Buffer.concat([prefix, block, Buffer.alloc(4096 - block.length)])));
  }
  return Buffer.concat(digests);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
