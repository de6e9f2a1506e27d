import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface FileTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A safetensors image whose tensor data starts on a multiple of 16 unless `padding` adds blanks to the header. */
export function safetensors(tensors: Readonly<Record<string, FileTensor>>, padding = 0): Buffer {
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = JSON.stringify(header);
  const text = json.padEnd(Math.ceil(json.length / 16) * 16 + 8 + padding);
  return safetensorsOf(text, Buffer.concat(Object.values(tensors).map(({ data }) => data)));
}

/** A safetensors image with any text as its header. */
export function safetensorsOf(header: string, data: Uint8Array = new Uint8Array()): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.byteLength));
  return Buffer.concat([length, text, data]);
}

export function f32(...values: number[]): FileTensor {
  return { dtype: "F32", shape: [values.length], data: new Uint8Array(Float32Array.from(values).buffer) };
}

/** Writes a model of several files with its index; answers the index's path. */
export async function writeShardedModel(
  folder: string,
  files: readonly Readonly<Record<string, FileTensor>>[],
  change: (index: { weight_map: Record<string, string> }) => unknown = (index) => index,
): Promise<string> {
  const weightMap: Record<string, string> = {};
  for (const [index, tensors] of files.entries()) {
    const number = (value: number): string => String(value).padStart(5, "0");
    const fileName = `model-${number(index + 1)}-of-${number(files.length)}.safetensors`;
    await writeFile(join(folder, fileName), safetensors(tensors));
    for (const name of Object.keys(tensors)) weightMap[name] = fileName;
  }
  const path = join(folder, "model.safetensors.index.json");
  await writeFile(path, JSON.stringify(change({ weight_map: weightMap })));
  return path;
}
