import { dirname, join } from "node:path";
import type { Approval } from "./approval.js";
import { invalidInput } from "./errors.js";
import { readGiven } from "./given.js";
import type { HostDevice } from "./host-device.js";
import { HEADER_MAX_BYTES } from "./model/limits.js";
import { parseShardIndex } from "./model/shard-index.js";
import type { ShardIndex } from "./model/shard-index.js";
import type { ModelHeader } from "./model/header.js";
import type { Part, SealRequest } from "./seal.js";
import { filePath, fileNameOf, openToRead, readExactly } from "./source/file-source.js";
import type { ModelSource } from "./source/model-source.js";

/** The index of a sharded model, `model.safetensors.index.json`, by path or file URL; or its files. */
export type SetSource = string | URL | readonly ModelSource[];

interface SetOptions {
  readonly setId: string;
  /** By the file's index. */
  readonly hostOf: (index: number) => HostDevice;
  /** For all files, or for each by its name. */
  readonly expect: Approval | Readonly<Record<string, Approval>> | null;
}

/** Finds the files of a set, and what their headers must have in common. @throws VramError `INVALID_INPUT`. */
export async function openSetSource(
  source: unknown,
  options: SetOptions,
): Promise<Pick<SealRequest, "parts"> & Required<Pick<SealRequest, "checkHeaders">>> {
  if (isPath(source)) {
    const path = filePath(source);
    const index = await readIndex(path);
    const files = filesOf(path, index);
    return { parts: partsOf(files, options), checkHeaders: (headers) => { assertComplete(index, headers); } };
  }
  return readGiven("source", () => {
    if (!Array.isArray(source) || source.length === 0) throw invalidInput("source", "be the path of an index file, or a list of sources");
    return { parts: partsOf([...(source as unknown[])], options), checkHeaders: assertDistinct };
  });
}

function isPath(source: unknown): source is string | URL {
  return readGiven("source", () => typeof source === "string" || source instanceof URL);
}

function partsOf(sources: readonly unknown[], { setId, hostOf, expect }: SetOptions): readonly Part[] {
  const names = sources.map(fileNameOf);
  const unknown = typeof expect !== "function" && Object.keys(expect ?? {}).some((name) => !names.includes(name));
  if (unknown) throw invalidInput("options.expect", "name files of the set only");
  return sources.map((source, index) => ({ source, host: hostOf(index), shardId: `${setId}-${index}`, approval: approvalFor(expect, names[index]) }));
}

function approvalFor(expect: SetOptions["expect"], name: string | undefined): Approval | null {
  if (expect === null || typeof expect === "function") return expect;
  const found = name !== undefined && Object.hasOwn(expect, name) ? expect[name] : undefined;
  if (found === undefined) throw invalidInput("options.expect", "name every file of the set");
  return found;
}

/** The paths of the files that an index names. @throws VramError `INVALID_INPUT` */
export async function listSetFiles(indexPath: string): Promise<readonly string[]> {
  return filesOf(indexPath, await readIndex(indexPath));
}

function filesOf(indexPath: string, { fileNames }: ShardIndex): readonly string[] {
  return fileNames.map((name) => join(dirname(indexPath), name));
}

async function readIndex(path: string): Promise<ShardIndex> {
  const handle = await openToRead(path);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw invalidInput("source", "be a regular file");
    if (stat.size > HEADER_MAX_BYTES) throw invalidInput("source", `be an index of at most ${HEADER_MAX_BYTES} bytes`);
    return await parseShardIndex(await readExactly(handle, fileNameOf(path) ?? "", { position: 0, length: stat.size }));
  } finally {
    await handle.close();
  }
}

/** Every tensor of the index is in the file that it names, and no file has another. */
function assertComplete({ fileNames, tensors }: ShardIndex, headers: readonly ModelHeader[]): void {
  const found = new Map(headers.flatMap((header, index) => [...header.tensors.keys()].map((name) => [name, fileNames[index]] as const)));
  const counted = headers.reduce((sum, header) => sum + header.tensors.size, 0);
  const complete = counted === tensors.size && [...tensors].every(([name, fileName]) => found.get(name) === fileName);
  if (!complete) throw invalidInput("source", "be an index that lists the tensors of its files, each in its file, and no others");
}

function assertDistinct(headers: readonly ModelHeader[]): void {
  const named = headers.filter(({ format }) => format !== "opaque");
  const names = named.flatMap(({ tensors }) => [...tensors.keys()]);
  if (new Set(names).size !== names.length) throw invalidInput("source", "be files that name each tensor once");
}
