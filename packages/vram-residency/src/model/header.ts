export interface ImageTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteOffset: number;
  readonly byteLength: number;
}
export type ModelFormat = "safetensors" | "gguf" | "opaque";
export interface ModelHeader {
  readonly format: ModelFormat;
  readonly head: Uint8Array;
  readonly dataOffset: number;
  readonly tensors: ReadonlyMap<string, ImageTensor>;
}
export interface HeadReader {
  readonly byteLength: number;
  read(length: number): Promise<Uint8Array>;
}
export async function readModelHeader(
  reader: HeadReader,
  _options: { format?: ModelFormat; fileName?: string },
): Promise<ModelHeader> {
  const head = await reader.read(Math.min(9, reader.byteLength));
  const image = { name: "", dtype: "U8", shape: [reader.byteLength], byteOffset: 0, byteLength: reader.byteLength };
  return { format: "opaque", head, dataOffset: 0, tensors: new Map([["", image]]) };
}
