import { NAME_MAX_LENGTH, textProblem } from "vram-text";
import { invalidInput } from "../errors.js";
import type { ByteCursor } from "./byte-cursor.js";
import { FieldReader } from "./field-reader.js";
import { GGUF_TYPES } from "./gguf-types.js";
import type { HeadBuffer } from "./head-buffer.js";
import type { ImageTensor, Layout } from "./header.js";
import { MAX_ENTRIES } from "./limits.js";
import { assertTensorName } from "./safetensors.js";

const MAGIC = "GGUF";
const VERSIONS = [2, 3];
const MAX_DIMENSIONS = 4;
const DEFAULT_ALIGNMENT = 32;
const LEAST_ALIGNMENT = 8;
const LARGEST_ALIGNMENT = 1 << 20;

/** Numbers of value types: bytes of one value. Texts and arrays have no fixed size. */
const VALUE_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 4],
  [5, 4],
  [6, 4],
  [7, 1],
  [10, 8],
  [11, 8],
  [12, 8],
]);
const UINT32 = 4;
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;
const STRINGS_AT_ONCE = 64;

/**
 * A GGUF header, version 2 or 3, little-endian: metadata, then the tensors' names, types and places, then their data, each
 * tensor on the file's alignment and nothing in between.
 * @throws VramError `INVALID_INPUT`
 */
export async function readGguf(head: HeadBuffer): Promise<Layout> {
  const fields = new FieldReader(head);
  const { tensorCount, valueCount } = await fields.read(readCounts);
  const alignment = await readMetadata(fields, valueCount);
  const tensors = new Map<string, ImageTensor>();
  for (let index = 0; index < tensorCount; index += 1) {
    const tensor = await fields.read(readTensor);
    if (tensors.has(tensor.name)) throw invalidInput("source", "have no two tensors of one name");
    tensors.set(tensor.name, tensor);
  }
  const headerBytes = fields.position;
  const dataOffset = roundUp(headerBytes, alignment);
  checkCover([...tensors.values()], { headerBytes, alignment, byteLength: head.byteLength });
  for (const [name, tensor] of tensors) tensors.set(name, { ...tensor, byteOffset: dataOffset + tensor.byteOffset });
  return { dataOffset, tensors };
}

function readCounts(cursor: ByteCursor): { readonly tensorCount: number; readonly valueCount: number } {
  if (cursor.take(MAGIC.length).toString("latin1") !== MAGIC) throw invalidInput("source", "start with GGUF");
  if (!VERSIONS.includes(cursor.u32())) throw invalidInput("source", "be GGUF of version 2 or 3, little-endian");
  const [tensorCount, valueCount] = [cursor.u64(), cursor.u64()];
  if (Math.max(tensorCount, valueCount) > MAX_ENTRIES) {
    throw invalidInput("source", `have at most ${MAX_ENTRIES} tensors and as many metadata values`);
  }
  return { tensorCount, valueCount };
}

/** Answers the alignment, the one value that is needed here; all others are checked and skipped. */
async function readMetadata(fields: FieldReader, count: number): Promise<number> {
  const keys = new Set<string>();
  let alignment = DEFAULT_ALIGNMENT;
  for (let index = 0; index < count; index += 1) {
    const [key, type] = await fields.read((cursor) => [cursor.string(), cursor.u32()] as const);
    if (textProblem(key, NAME_MAX_LENGTH) !== undefined) throw invalidInput("source", "have metadata keys without control characters");
    if (keys.has(key)) throw invalidInput("source", "have no metadata key twice");
    keys.add(key);
    if (key === "general.alignment") alignment = await fields.read((cursor) => readAlignment(cursor, type));
    else if (type === ARRAY) await skipArray(fields);
    else await skipValues(fields, type, 1);
  }
  return alignment;
}

function readAlignment(cursor: ByteCursor, type: number): number {
  const alignment = type === UINT32 ? cursor.u32() : 0;
  const valid = alignment >= LEAST_ALIGNMENT && alignment <= LARGEST_ALIGNMENT && Number.isInteger(Math.log2(alignment));
  if (!valid) throw invalidInput("source", `have an alignment of a power of two from ${LEAST_ALIGNMENT} to ${LARGEST_ALIGNMENT}`);
  return alignment;
}

async function skipArray(fields: FieldReader): Promise<void> {
  const [type, count] = await fields.read((cursor) => [cursor.u32(), cursor.u64()] as const);
  if (type === ARRAY) throw invalidInput("source", "have no arrays of arrays");
  if (count > MAX_ENTRIES) throw invalidInput("source", `have arrays of at most ${MAX_ENTRIES} values`);
  await skipValues(fields, type, count);
}

async function skipValues(fields: FieldReader, type: number, count: number): Promise<void> {
  if (type === STRING) return skipStrings(fields, count);
  const bytes = VALUE_BYTES.get(type);
  if (bytes === undefined) throw invalidInput("source", "have values of known types");
  const values = await fields.read((cursor) => cursor.take(bytes * count));
  if (type === BOOL && values.some((value) => value > 1)) throw invalidInput("source", "have booleans of 0 and 1");
}

async function skipStrings(fields: FieldReader, count: number): Promise<void> {
  for (let left = count; left > 0; left -= STRINGS_AT_ONCE) {
    await fields.read((cursor) => {
      for (let index = Math.min(left, STRINGS_AT_ONCE); index > 0; index -= 1) cursor.skipString();
    });
  }
}

/** With `byteOffset` from the start of the data. */
function readTensor(cursor: ByteCursor): ImageTensor {
  const name = cursor.string();
  assertTensorName(name);
  const rank = cursor.u32();
  if (rank < 1 || rank > MAX_DIMENSIONS) throw invalidInput("source", `have tensors of 1 to ${MAX_DIMENSIONS} dimensions`);
  const extents = Array.from({ length: rank }, () => cursor.u64());
  const type = GGUF_TYPES.get(cursor.u32());
  if (type === undefined) throw invalidInput("source", "have tensors of known types");
  const byteOffset = cursor.u64();
  const [row = 0] = extents;
  if (row % type.blockElements !== 0) throw invalidInput("source", "have rows of whole blocks");
  const elements = extents.reduce((product, extent) => product * BigInt(extent), 1n);
  const byteLength = (elements / BigInt(type.blockElements)) * BigInt(type.blockBytes);
  if (byteLength > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidInput("source", "have tensors of at most 2^53 - 1 bytes");
  // The file lists the fastest dimension first.
  return { name, dtype: type.name, shape: extents.reverse(), byteOffset, byteLength: Number(byteLength) };
}

function checkCover(
  tensors: readonly ImageTensor[],
  { headerBytes, alignment, byteLength }: Readonly<Record<"headerBytes" | "alignment" | "byteLength", number>>,
): void {
  const ordered = [...tensors].sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  let end = 0;
  for (const tensor of ordered) {
    if (tensor.byteOffset !== roundUp(end, alignment)) {
      throw invalidInput("source", "have tensors that follow one another on its alignment, without hole or overlap");
    }
    end = tensor.byteOffset + tensor.byteLength;
  }
  // The padding before the data may be left out where there is no data.
  const last = ordered.length === 0 ? headerBytes : roundUp(headerBytes, alignment) + end;
  if (last > byteLength || roundUp(last, alignment) < byteLength) {
    throw invalidInput("source", "end with its last tensor: it is cut short, or has bytes of no tensor");
  }
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
