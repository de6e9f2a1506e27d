import { NAME_MAX_LENGTH, textProblem } from "vram-text";
import { invalidInput } from "../errors.js";
import type { HeadBuffer } from "./head-buffer.js";
import type { ImageTensor, Layout } from "./header.js";
import { JsonReader } from "./json-reader.js";
import { HEADER_MAX_BYTES } from "./limits.js";
import { Pauses } from "./pauses.js";

const LENGTH_BYTES = 8;
const OPENING_BRACE = 0x7b;
const MAX_DIMENSIONS = 64;
const METADATA = "__metadata__";
const METADATA_EXPECTATION = "have metadata of strings only";
const TENSOR_EXPECTATION = "have tensors of dtype, shape and data_offsets";
const TYPE_EXPECTATION = "have tensors of known data types";

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
  return length >= 2 && length <= HEADER_MAX_BYTES && first[LENGTH_BYTES] === OPENING_BRACE;
}

/**
 * A safetensors header: its length as u64 LE, a JSON object, then the tensors' bytes in one piece without holes or overlaps.
 * @throws VramError `INVALID_INPUT`
 */
export async function readSafetensors(head: HeadBuffer): Promise<Layout> {
  await head.require(LENGTH_BYTES);
  const length = headerLength(head.bytes);
  if (length < 2 || length > HEADER_MAX_BYTES) throw invalidInput("source", `have a header of 2 to ${HEADER_MAX_BYTES} bytes`);
  const dataOffset = LENGTH_BYTES + length;
  await head.require(dataOffset);
  const text = head.bytes.subarray(LENGTH_BYTES, dataOffset);
  if (text[0] !== OPENING_BRACE) throw invalidInput("source", "have a header that starts with {");
  const json = new JsonReader("source", text);
  const tensors = new Map<string, ImageTensor>();
  const pauses = new Pauses();
  for (const name of json.members("have a JSON object as its header")) {
    if (name === METADATA) await checkMetadata(json, pauses);
    else tensors.set(name, readTensor(json, name, dataOffset));
    await pauses.step();
  }
  json.end();
  checkCover([...tensors.values()], dataOffset, head.byteLength);
  return { dataOffset, tensors };
}

function headerLength(first: Uint8Array): number {
  return Number(new DataView(first.buffer, first.byteOffset, LENGTH_BYTES).getBigUint64(0, true));
}

async function checkMetadata(json: JsonReader, pauses: Pauses): Promise<void> {
  const keys = json.members(METADATA_EXPECTATION);
  while (keys.next().done !== true) {
    json.string(METADATA_EXPECTATION);
    await pauses.step();
  }
}

function readTensor(json: JsonReader, name: string, dataOffset: number): ImageTensor {
  assertTensorName(name);
  let dtype: string | undefined;
  let shape: readonly number[] | undefined;
  let offsets: readonly number[] | undefined;
  for (const key of json.members(TENSOR_EXPECTATION)) {
    if (key === "dtype") dtype = json.string(TYPE_EXPECTATION);
    else if (key === "shape") shape = readIntegers(json, key);
    else if (key === "data_offsets") offsets = readIntegers(json, key);
    else throw invalidInput("source", TENSOR_EXPECTATION);
  }
  if (dtype === undefined || shape === undefined || offsets === undefined) throw invalidInput("source", TENSOR_EXPECTATION);
  const bits = TYPES.get(dtype);
  if (bits === undefined) throw invalidInput("source", TYPE_EXPECTATION);
  const [begin, end, ...more] = offsets;
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

function readIntegers(json: JsonReader, key: string): readonly number[] {
  const list: number[] = [];
  for (const index of json.items(`have ${key} lists`)) {
    if (index === MAX_DIMENSIONS) throw invalidInput("source", `have ${key} lists of at most ${MAX_DIMENSIONS} integers`);
    list.push(json.integer(`have ${key} of integers from 0 to 2^53 - 1`));
  }
  return list;
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
