import { NAME_MAX_LENGTH, textProblem } from "vram-text";
import { invalidInput } from "../errors.js";
import type { HeadBuffer } from "./head-buffer.js";
import type { ImageTensor, Layout } from "./header.js";
import { isJsonObject, parseStrictJson } from "./strict-json.js";
import type { Json, JsonObject } from "./strict-json.js";

const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000;
const OPENING_BRACE = 0x7b;
const METADATA = "__metadata__";

/** Bits of one element. */
const TYPES: ReadonlyMap<string, number> = new Map([
  ["BOOL", 8],
  ["F4", 4],
  ["F6_E2M3", 6],
  ["F6_E3M2", 6],
  ["U8", 8],
  ["I8", 8],
  ["F8_E5M2", 8],
  ["F8_E4M3", 8],
  ["F8_E8M0", 8],
  ["I16", 16],
  ["U16", 16],
  ["F16", 16],
  ["BF16", 16],
  ["I32", 32],
  ["U32", 32],
  ["F32", 32],
  ["C64", 64],
  ["F64", 64],
  ["I64", 64],
  ["U64", 64],
]);

/** Whether an image's first 9 bytes are a safetensors header's: there is no magic number. */
export function looksLikeSafetensors(first: Uint8Array): boolean {
  if (first.byteLength <= LENGTH_BYTES) return false;
  const length = headerLength(first);
  return length >= 2 && length <= MAX_HEADER_BYTES && first[LENGTH_BYTES] === OPENING_BRACE;
}

/**
 * A safetensors header: its length as u64 LE, a JSON object, then the tensors' bytes in one piece without holes or overlaps.
 * @throws VramError `INVALID_INPUT`
 */
export async function readSafetensors(head: HeadBuffer): Promise<Layout> {
  await head.require(LENGTH_BYTES);
  const length = headerLength(head.bytes);
  if (length < 2 || length > MAX_HEADER_BYTES) throw invalidInput("source", `have a header of 2 to ${MAX_HEADER_BYTES} bytes`);
  const dataOffset = LENGTH_BYTES + length;
  await head.require(dataOffset);
  const text = head.bytes.subarray(LENGTH_BYTES, dataOffset);
  if (text[0] !== OPENING_BRACE) throw invalidInput("source", "have a header that starts with {");
  const header = parseStrictJson("source", text);
  if (!isJsonObject(header)) throw invalidInput("source", "have a JSON object as its header");
  const entries = [...header].filter(([name]) => name !== METADATA);
  checkMetadata(header.get(METADATA));
  const tensors = new Map(entries.map(([name, entry]) => [name, tensorOf(name, entry, dataOffset)]));
  checkCover([...tensors.values()], dataOffset, head.byteLength);
  return { dataOffset, tensors };
}

function headerLength(first: Uint8Array): number {
  return Number(new DataView(first.buffer, first.byteOffset, LENGTH_BYTES).getBigUint64(0, true));
}

function checkMetadata(metadata: Json | undefined): void {
  if (metadata === undefined) return;
  const strings = isJsonObject(metadata) && [...metadata.values()].every((value) => typeof value === "string");
  if (!strings) throw invalidInput("source", "have metadata of strings only");
}

function tensorOf(name: string, entry: Json, dataOffset: number): ImageTensor {
  assertTensorName(name);
  if (!isJsonObject(entry) || entry.size !== 3) throw invalidInput("source", "have tensors of dtype, shape and data_offsets");
  const dtype = entry.get("dtype");
  const bits = typeof dtype === "string" ? TYPES.get(dtype) : undefined;
  if (typeof dtype !== "string" || bits === undefined) throw invalidInput("source", "have tensors of known data types");
  const shape = integers(entry, "shape");
  const [begin, end, ...more] = integers(entry, "data_offsets");
  if (begin === undefined || end === undefined || more.length > 0 || begin > end) {
    throw invalidInput("source", "have data_offsets of a begin and an end");
  }
  const byteLength = end - begin;
  const elementBits = shape.reduce((product, extent) => product * BigInt(extent), BigInt(bits));
  if (elementBits !== 8n * BigInt(byteLength)) throw invalidInput("source", "have tensors as long as their shape and data type");
  return { name, dtype, shape, byteOffset: dataOffset + begin, byteLength };
}

/** Any text but control characters, half surrogates and the like; the empty name is one too. */
export function assertTensorName(name: string): void {
  if (name !== "" && textProblem(name, NAME_MAX_LENGTH) !== undefined) {
    throw invalidInput("source", `have tensor names of at most ${NAME_MAX_LENGTH} characters without control characters`);
  }
}

const MAX_DIMENSIONS = 64;

function integers(entry: JsonObject, key: string): readonly number[] {
  const list = entry.get(key);
  if (!Array.isArray(list) || list.length > MAX_DIMENSIONS) throw invalidInput("source", `have ${key} lists`);
  return list.map((value: Json) => {
    if (typeof value !== "bigint" || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw invalidInput("source", `have ${key} of integers from 0 to 2^53 - 1`);
    }
    return Number(value);
  });
}

/** In the order of their places the tensors follow one another from the first data byte to the last of the image. */
function checkCover(tensors: ImageTensor[], dataOffset: number, byteLength: number): void {
  const ordered = tensors.sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  let end = dataOffset;
  for (const tensor of ordered) {
    if (tensor.byteOffset !== end) throw invalidInput("source", "have tensors that follow one another without hole or overlap");
    end += tensor.byteLength;
  }
  if (end !== byteLength) throw invalidInput("source", "end with its last tensor: it is cut short, or has bytes of no tensor");
}
