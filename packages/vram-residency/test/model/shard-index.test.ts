import { describe, expect, it } from "vitest";
import { parseShardIndex } from "../../src/model/shard-index.js";

const parse = (text: string) => parseShardIndex(Buffer.from(text));
const withMetadata = (metadata: string): string => `{"metadata":${metadata},"weight_map":{"w":"a.safetensors"}}`;

describe("a shard index", () => {
  it("gives the file of each tensor, and the files sorted and once", async () => {
    const { fileNames, tensors } = await parse('{"weight_map":{"__proto__":"b.safetensors","w":"a.safetensors","v":"b.safetensors"}}');
    expect(fileNames).toEqual(["a.safetensors", "b.safetensors"]);
    expect([...tensors]).toEqual([["__proto__", "b.safetensors"], ["w", "a.safetensors"], ["v", "b.safetensors"]]);
  });

  it.each(['{"total_size":-1.5e+3,"list":[1,[true,null],{}]}', "[]", '"\\u00e9"', "0"])("passes over the metadata %s", async (metadata) => {
    expect((await parse(withMetadata(metadata))).tensors.size).toBe(1);
  });

  it.each<[string, RegExp]>([
    [withMetadata("01"), /well-formed/],
    [withMetadata("NaN"), /well-formed/],
    [withMetadata(""), /well-formed/],
    [withMetadata("[1,]"), /well-formed/],
    [withMetadata('{"a":1 "b":2}'), /well-formed/],
    [withMetadata('{"a":1,"a":2}'), /duplicate/],
    [withMetadata("{a:1}"), /quoted keys/],
    [withMetadata('"\\x"'), /strings/],
    [withMetadata(`${"[".repeat(40)}${"]".repeat(40)}`), /levels/],
    [withMetadata(`[${"0,".repeat(2 ** 20)}0]`), /at most 1048576/],
    [`${withMetadata("{}")}{}`, /nothing after/],
    ["[]", /weight_map/],
    ['{"weight_map":[]}', /weight_map/],
    ['{"weight_map":{"w":1}}', /bare file names/],
    ['{"weight_map":{"w":"../a"}}', /bare file names/],
    ['{"weight_map":{"w":"a","w":"b"}}', /duplicate/],
    ['{"weight_map":{"w":"a"}', /well-formed/],
  ])("refuses %.60s", async (text, reason) => {
    await expect(parse(text)).rejects.toMatchObject({ code: "INVALID_INPUT", message: expect.stringMatching(reason) as string });
  });
});
