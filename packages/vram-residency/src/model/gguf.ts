import { NAME_MAX_LENGTH, textProblem } from "vram-text";
import { invalidInput } from "../errors.js";
import { ByteCursor, MoreBytesNeeded } from "./byte-cursor.js";
import { GGUF_TYPES } from "./gguf-types.js";
import type { HeadBuffer } from "./head-buffer.js";
import type { ImageTensor, Layout } from "./header.js";
import { assertTensorName } from "./safetensors.js";

const MAGIC = "GGUF";
const VERSIONS = [2, 3];
const FIRST_BYTES = 65_536;
const MAX_HEADER_BYTES = 100_000_000;
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

interface Parsed {
  readonly headerBytes: number;
  readonly alignment: number;
  /** With `byteOffset` from the start of the data. */
  readonly tensors: readonly ImageTensor[];
}

/**
 * A GGUF header, version 2 or 3, little-endian: metadata, then the tensors' names, types and places, then their data, each
 * tensor on the file's alignment and nothing in between.
 * @throws VramError `INVALID_INPUT`
 */
export async function readGguf(head: HeadBuffer): Promise<Layout> {
  const { headerBytes, alignment, tensors } = await parseGrowing(head);
  const dataOffset = roundUp(headerBytes, alignment);
  checkCover(tensors, { headerBytes, alignment, byteLength: head.byteLength });
  return {
    dataOffset,
    tensors: new Map(tensors.map((tensor) => [tensor.name, { ...tensor, byteOffset: dataOffset + tensor.byteOffset }])),
  };
}

/** The header does not say how long it is: parses what is there, and again with twice as much where that was too little. */
async function parseGrowing(head: HeadBuffer): Promise<Parsed> {
  for (let end = FIRST_BYTES; ; end *= 2) {
    await head.request(end);
    try {
      return parse(new ByteCursor(head.bytes));
    } catch (error) {
      if (!(error instanceof MoreBytesNeeded)) throw error;
      if (error.end > MAX_HEADER_BYTES) throw invalidInput("source", `have a header of at most ${MAX_HEADER_BYTES} bytes`);
      await head.require(error.end);
    }
  }
}

function parse(cursor: ByteCursor): Parsed {
  if (Buffer.from(cursor.take(MAGIC.length)).toString("latin1") !== MAGIC) throw invalidInput("source", "start with GGUF");
  if (!VERSIONS.includes(cursor.u32())) throw invalidInput("source", "be GGUF of version 2 or 3, little-endian");
  const [tensorCount, valueCount] = [cursor.u64(), cursor.u64()];
  const alignment = readMetadata(cursor, valueCount);
  const tensors: ImageTensor[] = [];
  const names = new Set<string>();
  for (let index = 0; index < tensorCount; index += 1) {
    const tensor = readTensor(cursor);
    if (names.has(tensor.name)) throw invalidInput("source", "have no two tensors of one name");
    names.add(tensor.name);
    tensors.push(tensor);
  }
  return { headerBytes: cursor.position, alignment, tensors };
}

/** Answers the alignment, the one value that is needed here; all others are checked and skipped. */
function readMetadata(cursor: ByteCursor, count: number): number {
  const keys = new Set<string>();
  let alignment = DEFAULT_ALIGNMENT;
  for (let index = 0; index < count; index += 1) {
    const key = cursor.string();
    if (textProblem(key, NAME_MAX_LENGTH) !== undefined) throw invalidInput("source", "have metadata keys without control characters");
    if (keys.has(key)) throw invalidInput("source", "have no metadata key twice");
    keys.add(key);
    const type = cursor.u32();
    if (key === "general.alignment") alignment = readAlignment(cursor, type);
    else if (type === ARRAY) skipArray(cursor);
    else skipValues(cursor, type, 1);
  }
  return alignment;
}

function readAlignment(cursor: ByteCursor, type: number): number {
  const alignment = type === UINT32 ? cursor.u32() : 0;
  const valid = alignment >= LEAST_ALIGNMENT && alignment <= LARGEST_ALIGNMENT && Number.isInteger(Math.log2(alignment));
  if (!valid) throw invalidInput("source", `have an alignment of a power of two from ${LEAST_ALIGNMENT} to ${LARGEST_ALIGNMENT}`);
  return alignment;
}

function skipArray(cursor: ByteCursor): void {
  const type = cursor.u32();
  if (type === ARRAY) throw invalidInput("source", "have no arrays of arrays");
  skipValues(cursor, type, cursor.u64());
}

function skipValues(cursor: ByteCursor, type: number, count: number): void {
  if (type === STRING) {
    for (let index = 0; index < count; index += 1) cursor.string();
    return;
  }
  const bytes = VALUE_BYTES.get(type);
  if (bytes === undefined) throw invalidInput("source", "have values of known types");
  const values = cursor.take(bytes * count);
  if (type === BOOL && values.some((value) => value > 1)) throw invalidInput("source", "have booleans of 0 and 1");
}

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
  { headerBytes, alignment, byteLength }: Pick<Parsed, "headerBytes" | "alignment"> & { readonly byteLength: number },
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
