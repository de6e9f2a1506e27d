import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromKeyFile, type Seal, SealError, type SealKey, type SealStatement } from "../../src/index.js";
import { inKeyObjects } from "../../src/keys/root-keys.js";
import { sealVectors } from "./vectors.js";

export const INSTANCE = "000102030405060708090a0b0c0d0e0f";

/** Runs `use` with a new directory that only this user can enter. */
export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "vram-seal-"));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Writes a file with exactly this mode, whatever the umask. */
export async function writeWithMode(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  await writeFile(path, bytes);
  await chmod(path, mode);
}

/** A key from its root bytes, the only public way: through a file. */
export function keyOf(rootKey: Uint8Array): Promise<SealKey> {
  return withDirectory(async (directory) => {
    const path = join(directory, "key");
    await writeWithMode(path, rootKey, 0o600);
    return fromKeyFile(path);
  });
}

/** The key of the vectors, which say that it is not locked. */
export function vectorKey(): SealKey {
  return inKeyObjects.fromKey(Buffer.from(sealVectors.keys.rootKey, "hex"));
}

/** A well-formed statement for a key. */
export function statementFor(key: SealKey, changes: Partial<SealStatement> = {}): SealStatement {
  return {
    v: 1,
    shardId: "shard-0",
    modelRef: "hf:org/model@rev",
    vramBytes: 4096,
    digest: "13e9b8848ae484a36acb3f3cac0ceb2f7601e96633d15c92f9bd3dd44e492157",
    digestAlgorithm: "fsverity-sha256-4096",
    gpuDevice: 0,
    gpuUuid: "GPU-00112233-4455-6677-8899-aabbccddeeff",
    backend: "simulator",
    driverVersion: "12.4",
    kernel: "ab".repeat(32),
    placement: { bufferId: "1", blockId: "2", access: "read" },
    expected: { sha256: "cd".repeat(32) },
    workerId: "worker-7",
    instanceId: INSTANCE,
    sealSequence: 1,
    keyId: key.keyId,
    keyLocked: key.locked,
    sealedAt: "2001-02-03T04:05:06.789Z",
    setId: "set",
    shardIndex: 0,
    totalShards: 2,
    ...changes,
  };
}

/** The outcome of an operation that must fail: what the error says to programs. */
export async function failureOf(operation: () => unknown): Promise<{ readonly code: string; readonly reason: unknown }> {
  const { code, details } = await errorOf(operation);
  return { code, reason: details["reason"] };
}

/** The error of an operation that must fail with one of ours. */
export async function errorOf(operation: () => unknown): Promise<SealError> {
  try {
    await operation();
  } catch (error) {
    if (error instanceof SealError) return error;
    throw error;
  }
  throw new Error("expected a SealError, nothing was thrown");
}

export function macOf(seal: Seal): Buffer {
  return Buffer.from(seal.mac, "base64");
}

export function withMac(seal: Seal, mac: Uint8Array): Seal {
  return { statement: seal.statement, mac: Buffer.from(mac).toString("base64") };
}

export function flipBit(bytes: Uint8Array, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return flipped;
}

/** What `operation` returns or throws while every object inherits a property. Nothing else runs meanwhile. */
export function withPollution(name: string, value: unknown, operation: () => unknown): unknown {
  Object.assign(Object.prototype, { [name]: value });
  try {
    return operation();
  } catch (error) {
    return error;
  } finally {
    Reflect.deleteProperty(Object.prototype, name);
  }
}
