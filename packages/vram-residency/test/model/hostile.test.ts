import { describe, expect, it } from "vitest";
import { VramError } from "../../src/errors.js";
import type { HeaderOptions } from "../../src/model/header.js";
import { f32, safetensors, safetensorsOf } from "../safetensors.js";
import { gguf, text, u32 } from "./gguf-file.js";
import { isConsistent, readHeaderOf, refusalOf, seeded } from "./reading.js";

const SEED = 20_261_124;
const EXTREMES = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

const SMALL = safetensors({ "a.weight": f32(1, 2), b: { dtype: "I8", shape: [3, 1], data: new Uint8Array(3) } });
const TENSOR = { name: "w", type: 0, extents: [4n, 2n], byteOffset: 0n };
const LLAMA = gguf({ fields: [["name", 8, text("x")], ["general.alignment", 4, u32(32)]], tensors: [TENSOR], dataBytes: 32 });

/** What a reader may do with any bytes at all: refuse them by a typed error, or understand them consistently, in no time. */
async function expectSane(image: Uint8Array, options: HeaderOptions): Promise<boolean> {
  const startMs = performance.now();
  try {
    const header = await readHeaderOf(image, options);
    expect(isConsistent(header, image.byteLength)).toBe(true);
    return true;
  } catch (error) {
    if (!(error instanceof VramError)) throw error;
    expect(error.code).toBe("INVALID_INPUT");
    expect(error.message).toMatch(/^source must [ -~]{1,200}$/);
    return false;
  } finally {
    expect(performance.now() - startMs).toBeLessThan(1000);
  }
}

describe.each([
  ["safetensors", SMALL],
  ["gguf", LLAMA],
] as const)("hostile %s", (format, image) => {
  it("cut at every byte is refused", async () => {
    for (let length = 1; length < image.byteLength; length += 1) {
      // The last padding of a GGUF file may be missing; there is none here.
      expect(await expectSane(image.subarray(0, length), { format }), `${length} bytes`).toBe(false);
    }
  });

  it("with extremes at every place is refused or consistent", async () => {
    for (let offset = 0; offset + 4 <= image.byteLength; offset += 1) {
      for (const extreme of EXTREMES) {
        const changed = Buffer.from(image);
        if (offset + 8 <= image.byteLength) changed.writeBigUInt64LE(BigInt.asUintN(64, extreme), offset);
        await expectSane(changed, { format });
        changed.set(image);
        changed.writeUInt32LE(Number(BigInt.asUintN(32, extreme)), offset);
        await expectSane(changed, { format });
      }
    }
  });

  it(`with random bytes changed (seed ${SEED}) is refused or consistent`, async () => {
    const random = seeded(SEED);
    for (let round = 0; round < 2000; round += 1) {
      const changed = Buffer.from(image);
      for (let count = 1 + Math.floor(random() * 4); count > 0; count -= 1) {
        changed[Math.floor(random() * changed.byteLength)] = Math.floor(random() * 256);
      }
      await expectSane(changed, { format });
    }
  });
});

/** Numbers in the text of a safetensors header, each replaced by what no number should be. */
describe("hostile numbers in safetensors", () => {
  const json = (values: readonly string[]): Buffer => {
    const [extent = "", begin = "", end = ""] = values;
    return safetensorsOf(`{"w":{"dtype":"F32","shape":[${extent}],"data_offsets":[${begin},${end}]}}`, Buffer.alloc(8));
  };
  const GOOD = ["2", "0", "8"];
  const BAD = [...EXTREMES.map(String), "-1", "-0", "1e308", "0.5", "NaN", "null", '"2"', "[]", "", "9".repeat(400)];

  it("are refused or consistent", async () => {
    expect(await expectSane(json(GOOD), { format: "safetensors" })).toBe(true);
    for (const place of GOOD.keys()) {
      for (const bad of BAD) await expectSane(json(GOOD.map((good, index) => (index === place ? bad : good))), { format: "safetensors" });
    }
  });
});

/** Headers as long as the limit, of what no header has: refused where that begins, before all of it is read and kept. */
describe("long hostile headers", () => {
  const long = (start: string, unit: string): Buffer => {
    const image = Buffer.alloc(8 + 100_000_000, unit);
    image.writeBigUInt64LE(100_000_000n);
    image.write(start, 8);
    return image;
  };

  it.each<[string, string, string]>([
    ["numbers", '{"w":[', "0,"],
    ["lists", '{"w":[ ', "[],"],
    ["extents", '{"w":{"shape":[', "0,"],
    ["levels", '{"w":{"shape":', "["],
    ["an open string", '{"', "n"],
    ["blanks", "{", " "],
  ])("of %s", { timeout: 10_000 }, async (_, start, unit) => {
    expect(await refusalOf(long(start, unit), { format: "safetensors" })).toMatch(/^source must have [ -~]{1,200}$/);
  });

  const listed = (count: number, entry: string): string => Array.from({ length: count }, (_, index) => `"${index.toString(36)}":${entry}`).join(",");

  it.each([
    ["tensors", safetensorsOf(`{${listed(10_000, '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}')}}`)],
    ["metadata", safetensorsOf(`{"__metadata__":{${listed(10_000, '""')}}}`)],
    ["GGUF tensors", gguf({ tensors: Array.from({ length: 10_000 }, (_, index) => ({ ...TENSOR, extents: [0n], name: String(index) })) })],
  ])("the event loop turns while many %s are read", async (_, image) => {
    let turns = 0;
    const count = (): void => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    await readHeaderOf(image);
    clearImmediate(timer);
    expect(turns).toBeGreaterThanOrEqual(5);
  });

  it("of more metadata than the limit", async () => {
    expect(await refusalOf(safetensorsOf(`{"__metadata__":{${listed(2 ** 20 + 1, '""')}}}`))).toMatch(/at most 1048576/);
  });
});
