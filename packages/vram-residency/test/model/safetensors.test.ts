import { describe, expect, it } from "vitest";
import { f32, safetensors, safetensorsOf } from "../safetensors.js";
import { readHeaderOf, refusalOf } from "./reading.js";

const named = { fileName: "model.safetensors" };

const image = (header: string, dataBytes = 0): Buffer => safetensorsOf(header, Buffer.alloc(dataBytes));

const tensor = (fields: object) => JSON.stringify({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...fields } });

describe("safetensors", () => {
  it("gives names, types, shapes and places from the start of the image", async () => {
    const bytes = safetensors({ "a.weight": f32(1, 2, 3), empty: f32(), b: { dtype: "BF16", shape: [1, 2], data: new Uint8Array(4) } });
    const { format, dataOffset, tensors, head } = await readHeaderOf(bytes);
    expect(format).toBe("safetensors");
    expect(dataOffset % 16).toBe(0);
    expect(head.byteLength).toBe(dataOffset);
    expect([...tensors.values()]).toEqual([
      { name: "a.weight", dtype: "F32", shape: [3], byteOffset: dataOffset, byteLength: 12 },
      { name: "empty", dtype: "F32", shape: [0], byteOffset: dataOffset + 12, byteLength: 0 },
      { name: "b", dtype: "BF16", shape: [1, 2], byteOffset: dataOffset + 12, byteLength: 4 },
    ]);
    expect(Buffer.from(bytes).readFloatLE(dataOffset + 8)).toBe(3);
  });

  it("takes any order of tensors, scalars, sub-byte types, metadata of strings and padding by blanks", async () => {
    const header = JSON.stringify({
      __metadata__: { format: "pt" },
      later: { dtype: "F4", shape: [2, 3], data_offsets: [4, 7] },
      first: { dtype: "I32", shape: [], data_offsets: [0, 4] },
    });
    expect([...(await readHeaderOf(image(`${header}   `, 7))).tensors.keys()]).toEqual(["later", "first"]);
    expect((await readHeaderOf(image("{}"), named)).tensors.size).toBe(0);
  });

  it.each(["__proto__", "constructor", "", "toString", "ünïcode 重み", '"\\'])("a tensor may be named %j", async (name) => {
    const { tensors } = await readHeaderOf(image(`{${JSON.stringify(name)}:{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1));
    expect([...tensors.keys()]).toEqual([name]);
    expect(tensors.get(name)?.byteLength).toBe(1);
  });

  it("a header whose length is 100,000,000 is the longest", async () => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(100_000_001n);
    expect(await refusalOf(Buffer.concat([length, Buffer.from("{")]), named)).toMatch(/100000000 bytes/);
  });

  it.each<[string, Buffer, RegExp]>([
    ["nothing after the length", image("").subarray(0, 8), /2 to 100000000 bytes/],
    ["a length beyond the end", image(tensor({})).subarray(0, 20), /cut short/],
    ["JSON that is no object", image("[]"), /starts with {/],
    ["a blank before the object", image(" {}"), /starts with {/],
    ["text after the object", image("{}x"), /nothing after/],
    ["a byte order mark", image("\ufeff{}"), /starts with {/],
    ["bytes that are not UTF-8", Buffer.concat([image('{"a'), Buffer.from([0xff])]).fill(4, 0, 1), /UTF-8/],
    ["a duplicate tensor", image('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), /duplicate/],
    ["a duplicate tensor by an escape", image('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), /duplicate/],
    ["a duplicate field", image('{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), /duplicate/],
    ["a duplicate __metadata__", image('{"__metadata__":{},"__metadata__":{}}'), /duplicate/],
    ["metadata of numbers", image('{"__metadata__":{"a":1}}'), /metadata/],
    ["metadata that is no object", image('{"__metadata__":"a"}'), /metadata/],
    ["a tensor that is no object", image('{"a":[]}'), /dtype, shape and data_offsets/],
    ["a tensor with more fields", image(tensor({ extra: 1 }), 8), /dtype, shape and data_offsets/],
    ["an unknown type", image(tensor({ dtype: "F128" }), 8), /known data types/],
    ["a type that is a property of every object", image(tensor({ dtype: "constructor" }), 8), /known data types/],
    ["a shape that does not fit", image(tensor({ shape: [3] }), 8), /as long as/],
    ["a shape that overflows to fit", image(tensor({ shape: [2 ** 32, 2 ** 32, 2] }), 8), /as long as/],
    ["a negative extent", image(tensor({ shape: [-2] }), 8), /integers/],
    ["a fraction", image(tensor({}).replace("[2]", "[2.0]"), 8), /integers/],
    ["an exponent", image(tensor({}).replace("[2]", "[2e0]"), 8), /integers/],
    ["an extent beyond 2^53", image(tensor({}).replace("[2]", "[9007199254740993]"), 8), /integers/],
    ["an endless number", image(tensor({}).replace("[2]", `[${"9".repeat(100)}]`), 8), /integers/],
    ["a shape that is no list", image(tensor({ shape: 2 }), 8), /shape/],
    ["offsets the wrong way round", image(tensor({ data_offsets: [8, 0] }), 8), /begin and an end/],
    ["three offsets", image(tensor({ data_offsets: [0, 8, 8] }), 8), /begin and an end/],
    ["a hole at the start", image(tensor({ data_offsets: [4, 12] }), 12), /without hole/],
    ["an overlap", image(JSON.stringify({ a: { dtype: "U8", shape: [8], data_offsets: [0, 8] }, b: { dtype: "U8", shape: [4], data_offsets: [4, 8] } }), 8), /overlap/],
    ["bytes after the last tensor", image(tensor({}), 9), /bytes of no tensor/],
    ["data cut short", image(tensor({}), 7), /cut short/],
    ["half a sub-byte element", image(tensor({ dtype: "F4", shape: [3], data_offsets: [0, 2] }), 2), /as long as/],
    ["a control character in a name", image(`{"a\\u0001":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`), /control/],
    ["half a surrogate in a name", image(`{"\\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`), /names/],
    ["JSON nested without end", image(tensor({}).replace("[2]", `${"[".repeat(1000)}2${"]".repeat(1000)}`), 8), /integers/],
    ["a comma too many", image(tensor({}).replace("[2]", "[2,]"), 8), /integers/],
    ["a comma too few", image(tensor({}).replace("[0,8]", "[0 8]"), 8), /well-formed/],
    ["no colon", image(tensor({}).replace(":", ""), 8), /well-formed/],
    ["an open string", image(`{"a`), /strings/],
    ["an unknown escape", image(`{"\\x":1}`), /strings/],
    ["a leading zero", image(tensor({}).replace("[2]", "[02]"), 8), /integers/],
    ["NaN", image(tensor({}).replace("[2]", "[NaN]"), 8), /integers/],
    ["a shape of 65 extents", image(tensor({ shape: [2, ...Array<number>(64).fill(1)] }), 8), /at most 64/],
    ["a tensor without a type", image(`{"a":{"shape":[0],"data_offsets":[0,0]}}`), /dtype, shape and data_offsets/],
    ["single quotes", image(`{'a':1}`), /quoted keys/],
  ])("refuses %s", async (_, bytes, reason) => {
    const message = await refusalOf(bytes, named);
    expect(message).toMatch(/^source must /);
    expect(message).toMatch(reason);
  });
});

describe("the format", () => {
  const bytes = safetensors({ w: f32(1) });

  it("is the one that is named, then the file name's, then the content's", async () => {
    expect((await readHeaderOf(bytes, { format: "opaque" })).format).toBe("opaque");
    expect((await readHeaderOf(bytes, { fileName: "model.bin" })).format).toBe("safetensors");
    expect((await readHeaderOf(Buffer.from("weights"))).format).toBe("opaque");
    expect((await readHeaderOf(Buffer.alloc(100), { fileName: "model.bin" })).format).toBe("opaque");
    expect(await refusalOf(bytes, { fileName: "Model.GGUF" })).toMatch(/start with GGUF/);
    expect(await refusalOf(Buffer.alloc(100), { fileName: "model.SafeTensors" })).toMatch(/header/);
    expect(await refusalOf(bytes, { format: "gguf" })).toMatch(/start with GGUF/);
  });

  it("an opaque image is one tensor of bytes", async () => {
    const { tensors, dataOffset } = await readHeaderOf(Buffer.alloc(100));
    expect(dataOffset).toBe(0);
    expect([...tensors]).toEqual([["", { name: "", dtype: "U8", shape: [100], byteOffset: 0, byteLength: 100 }]]);
  });
});
