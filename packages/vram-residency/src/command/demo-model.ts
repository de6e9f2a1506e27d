import { writeFile } from "node:fs/promises";

const FLOATS = 1 << 20;

/** Writes a small safetensors file of two F32 tensors (8 MiB), the same bytes every time. Answers its size in bytes. */
export async function writeDemoModel(path: string): Promise<number> {
  const tensor = (index: number) => ({
    dtype: "F32",
    shape: [1024, FLOATS / 1024],
    data_offsets: [index * FLOATS * 4, (index + 1) * FLOATS * 4],
  });
  const json = JSON.stringify({ "layer.0.weight": tensor(0), "layer.1.weight": tensor(1) });
  const header = json.padEnd(Math.ceil(json.length / 16) * 16 + 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const weights = Float32Array.from({ length: 2 * FLOATS }, (_, index) => Math.sin(index));
  const image = Buffer.concat([length, Buffer.from(header), Buffer.from(weights.buffer)]);
  await writeFile(path, image);
  return image.byteLength;
}
