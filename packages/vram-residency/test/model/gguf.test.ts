import { describe, expect, it } from "vitest";
import { gguf, text, u32, u64 } from "./gguf-file.js";
import type { Field, GgufTensor } from "./gguf-file.js";
import { readHeaderOf, refusalOf } from "./reading.js";

const F32 = 0;
const Q4_0 = 2;
const Q4_K = 12;
const tensor = (fields: Partial<GgufTensor> = {}): GgufTensor => ({ name: "w", type: F32, extents: [8n], byteOffset: 0n, ...fields });

const FIELDS: readonly Field[] = [
  ["general.architecture", 8, text("llama")],
  ["general.file_type", 4, u32(7)],
  ["flag", 7, Buffer.from([1])],
  ["list", 9, Buffer.concat([u32(4), u64(2n), u32(1), u32(2)])],
  ["names", 9, Buffer.concat([u32(8), u64(2n), text("a"), text("")])],
  ["flags", 9, Buffer.concat([u32(7), u64(3n), Buffer.from([0, 1, 0])])],
  ["wide", 10, u64(2n ** 64n - 1n)],
];

describe("GGUF", () => {
  it.each([2, 3])("version %i gives names, types, shapes slowest first, and places from the start of the image", async (version) => {
    const bytes = gguf({
      version,
      fields: FIELDS,
      tensors: [
        tensor({ name: "token_embd.weight", extents: [4n, 3n] }),
        tensor({ name: "blk.0.q", type: Q4_0, extents: [64n, 2n], byteOffset: 64n }),
        tensor({ name: "blk.0.k", type: Q4_K, extents: [256n], byteOffset: 160n }),
      ],
      dataBytes: 160 + 144,
    });
    const { format, dataOffset, tensors } = await readHeaderOf(bytes);
    expect(format).toBe("gguf");
    expect(dataOffset).toBe(bytes.byteLength - 304);
    expect([...tensors.values()]).toEqual([
      { name: "token_embd.weight", dtype: "F32", shape: [3, 4], byteOffset: dataOffset, byteLength: 48 },
      { name: "blk.0.q", dtype: "Q4_0", shape: [2, 64], byteOffset: dataOffset + 64, byteLength: 72 },
      { name: "blk.0.k", dtype: "Q4_K", shape: [256], byteOffset: dataOffset + 160, byteLength: 144 },
    ]);
  });

  it("a header longer than the first reading, another alignment, and padding after the last tensor", async () => {
    const many = Array.from({ length: 5000 }, (_, index): Field => [`key.${index}`, 8, text("x".repeat(20))]);
    const bytes = gguf({
      fields: [...many, ["general.alignment", 4, u32(64)]],
      alignment: 64,
      tensors: [tensor(), tensor({ name: "v", byteOffset: 64n })],
      dataBytes: 128,
    });
    const { dataOffset, tensors } = await readHeaderOf(bytes);
    expect(dataOffset % 64).toBe(0);
    expect(tensors.get("v")?.byteOffset).toBe(dataOffset + 64);
    expect((await readHeaderOf(bytes.subarray(0, -32))).tensors.size).toBe(2);
    expect((await readHeaderOf(gguf({}))).tensors.size).toBe(0);
  });

  it.each<[string, Buffer, RegExp]>([
    ["version 1", gguf({ version: 1 }), /version 2 or 3/],
    ["version 4", gguf({ version: 4 }), /version 2 or 3/],
    ["big-endian", gguf({ version: 0x03000000 }), /little-endian/],
    ["more tensors than bytes", gguf({ tensorCount: 2n ** 19n }), /cut short/],
    ["more tensors than models have", gguf({ tensorCount: 2n ** 20n + 1n }), /at most 1048576/],
    ["more values than models have", gguf({ fieldCount: 2n ** 20n + 1n }), /at most 1048576/],
    ["an absurd count of tensors", gguf({ tensorCount: 2n ** 63n }), /2\^53/],
    ["an absurd count of values", gguf({ fieldCount: 2n ** 64n - 1n }), /2\^53/],
    ["a duplicate key", gguf({ fields: [["a", 0, Buffer.alloc(1)], ["a", 0, Buffer.alloc(1)]] }), /twice/],
    ["a duplicate tensor", gguf({ tensors: [tensor(), tensor({ byteOffset: 32n })], dataBytes: 64 }), /two tensors/],
    ["an unknown value type", gguf({ fields: [["a", 13, Buffer.alloc(8)]] }), /known types/],
    ["an array of arrays", gguf({ fields: [["a", 9, Buffer.concat([u32(9), u64(0n)])]] }), /arrays of arrays/],
    ["an array beyond the end", gguf({ fields: [["a", 9, Buffer.concat([u32(12), u64(2n ** 20n)])]] }), /cut short/],
    ["an array of too many values", gguf({ fields: [["a", 9, Buffer.concat([u32(8), u64(2n ** 20n + 1n)])]] }), /at most 1048576/],
    ["a boolean of 2", gguf({ fields: [["a", 7, Buffer.from([2])]] }), /booleans/],
    ["a list with a boolean of 2", gguf({ fields: [["a", 9, Buffer.concat([u32(7), u64(1n), Buffer.from([2])])]] }), /booleans/],
    ["a text that is not UTF-8", gguf({ fields: [["a", 8, Buffer.concat([u64(1n), Buffer.from([0xff])])]] }), /UTF-8/],
    ["a key with a control character", gguf({ fields: [["a\n", 0, Buffer.alloc(1)]] }), /keys/],
    ["an empty key", gguf({ fields: [["", 0, Buffer.alloc(1)]] }), /keys/],
    ["an alignment of 0", gguf({ fields: [["general.alignment", 4, u32(0)]] }), /alignment/],
    ["an alignment of 24", gguf({ fields: [["general.alignment", 4, u32(24)]] }), /alignment/],
    ["an alignment of 2^31", gguf({ fields: [["general.alignment", 4, u32(2 ** 31)]] }), /alignment/],
    ["an alignment that is a text", gguf({ fields: [["general.alignment", 8, text("32")]] }), /alignment/],
    ["no dimensions", gguf({ tensors: [tensor({ extents: [] })] }), /1 to 4/],
    ["five dimensions", gguf({ tensors: [tensor({ extents: [1n, 1n, 1n, 1n, 1n] })], dataBytes: 32 }), /1 to 4/],
    ["an unknown tensor type", gguf({ tensors: [tensor({ type: 4 })], dataBytes: 32 }), /known types/],
    ["half a block in a row", gguf({ tensors: [tensor({ type: Q4_0, extents: [16n, 2n] })], dataBytes: 32 }), /whole blocks/],
    ["extents that overflow", gguf({ tensors: [tensor({ extents: [2n ** 32n, 2n ** 32n, 2n] })], dataBytes: 32 }), /2\^53/],
    ["a tensor beyond the end", gguf({ tensors: [tensor()], dataBytes: 31 }), /cut short/],
    ["a hole", gguf({ tensors: [tensor({ byteOffset: 32n })], dataBytes: 64 }), /without hole/],
    ["an overlap", gguf({ tensors: [tensor(), tensor({ name: "v" })], dataBytes: 64 }), /overlap/],
    ["a place off the alignment", gguf({ tensors: [tensor({ extents: [2n] }), tensor({ name: "v", byteOffset: 8n })], dataBytes: 64 }), /alignment/],
    ["bytes of no tensor", gguf({ tensors: [tensor()], dataBytes: 64 + 1 }), /bytes of no tensor/],
    ["bytes after a header without tensors", gguf({ dataBytes: 33 }), /bytes of no tensor/],
  ])("refuses %s", async (_, bytes, reason) => {
    const message = await refusalOf(bytes);
    expect(message).toMatch(/^source must /);
    expect(message).toMatch(reason);
  });
});
