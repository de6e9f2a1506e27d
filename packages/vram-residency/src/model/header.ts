import { readGguf } from "./gguf.js";
import { HeadBuffer } from "./head-buffer.js";
import type { HeadReader } from "./head-buffer.js";
import { looksLikeSafetensors, readSafetensors } from "./safetensors.js";

/** One tensor of a file. `byteOffset` and `byteLength` in bytes from the start of the image; `shape` in elements, slowest dimension first. */
export interface ImageTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** How a model's header is read; `opaque`: not at all. */
export type ModelFormat = "safetensors" | "gguf" | "opaque";

export interface ModelHeader {
  readonly format: ModelFormat;
  /** The image's first bytes, all that were read to know its tensors. */
  readonly head: Uint8Array;
  /** Where tensor data begins, in bytes from the start of the image; 0 for an opaque one. */
  readonly dataOffset: number;
  readonly tensors: ReadonlyMap<string, ImageTensor>;
}

/** What a format's reader finds. */
export type Layout = Pick<ModelHeader, "dataOffset" | "tensors">;

export interface HeaderOptions {
  /** Default: by the file's name, then by its content. */
  readonly format?: ModelFormat;
  readonly fileName?: string;
}

/**
 * Reads which tensors an image holds, and where. Once the format is decided, an image that is not wholly as the format says
 * is refused.
 * @throws VramError `INVALID_INPUT`
 */
export async function readModelHeader(reader: HeadReader, options: HeaderOptions): Promise<ModelHeader> {
  const head = new HeadBuffer(reader);
  const format = options.format ?? formatOfName(options.fileName) ?? (await formatOfContent(head));
  const layout = await readLayout(format, head);
  return { format, head: head.bytes, ...layout };
}

function formatOfName(fileName = ""): ModelFormat | undefined {
  if (/\.safetensors$/i.test(fileName)) return "safetensors";
  return /\.gguf$/i.test(fileName) ? "gguf" : undefined;
}

async function formatOfContent(head: HeadBuffer): Promise<ModelFormat> {
  await head.request(9);
  if (Buffer.from(head.bytes.subarray(0, 4)).toString("latin1") === "GGUF") return "gguf";
  return looksLikeSafetensors(head.bytes) ? "safetensors" : "opaque";
}

function readLayout(format: ModelFormat, head: HeadBuffer): Promise<Layout> {
  if (format === "safetensors") return readSafetensors(head);
  if (format === "gguf") return readGguf(head);
  const { byteLength } = head;
  const image = { name: "", dtype: "U8", shape: [byteLength], byteOffset: 0, byteLength };
  return Promise.resolve({ dataOffset: 0, tensors: new Map([[image.name, image]]) });
}
