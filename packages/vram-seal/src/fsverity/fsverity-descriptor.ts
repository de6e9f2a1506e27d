const DESCRIPTOR_BYTES = 256;
const VERSION = 1;
const ALGORITHM_SHA256 = 1;
const LOG2_BLOCK_SIZE = 12;
const OFFSET = { dataSize: 8, root: 16, salt: 80 } as const;

/** `struct fsverity_descriptor` of the Linux kernel, whose SHA-256 is the file digest. */
export function fsverityDescriptor(byteLength: number, root: Uint8Array, salt: Uint8Array): Buffer {
  const descriptor = Buffer.alloc(DESCRIPTOR_BYTES);
  descriptor.set([VERSION, ALGORITHM_SHA256, LOG2_BLOCK_SIZE, salt.length]);
  descriptor.writeBigUInt64LE(BigInt(byteLength), OFFSET.dataSize);
  descriptor.set(root, OFFSET.root);
  descriptor.set(salt, OFFSET.salt);
  return descriptor;
}
