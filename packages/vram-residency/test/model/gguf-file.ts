/** A value of GGUF metadata: its type's number and its bytes. */
export type Field = readonly [key: string, type: number, bytes: Uint8Array];

export interface GgufTensor {
  readonly name: string;
  readonly type: number;
  /** Fastest dimension first, as the file has them. */
  readonly extents: readonly bigint[];
  readonly byteOffset: bigint;
}

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};

export const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
};

export const text = (value: string): Buffer => Buffer.concat([u64(BigInt(Buffer.byteLength(value))), Buffer.from(value)]);

export interface GgufFile {
  readonly version?: number;
  readonly tensorCount?: bigint;
  readonly fieldCount?: bigint;
  readonly fields?: readonly Field[];
  readonly tensors?: readonly GgufTensor[];
  readonly alignment?: number;
  readonly dataBytes?: number;
}

/** A GGUF image, as wrong as it is asked to be. */
export function gguf(file: GgufFile): Buffer {
  const { version = 3, fields = [], tensors = [], alignment = 32, dataBytes = 0 } = file;
  const { tensorCount = BigInt(tensors.length), fieldCount = BigInt(fields.length) } = file;
  const header = Buffer.concat([
    Buffer.from("GGUF"),
    u32(version),
    u64(tensorCount),
    u64(fieldCount),
    ...fields.flatMap(([key, type, bytes]) => [text(key), u32(type), bytes]),
    ...tensors.flatMap(({ name, type, extents, byteOffset }) => [
      text(name),
      u32(extents.length),
      ...extents.map(u64),
      u32(type),
      u64(byteOffset),
    ]),
  ]);
  const padding = (alignment - (header.byteLength % alignment)) % alignment;
  return Buffer.concat([header, Buffer.alloc(padding), Buffer.alloc(dataBytes)]);
}
