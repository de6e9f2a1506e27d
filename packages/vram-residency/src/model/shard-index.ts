import { textProblem } from "vram-text";
import { invalidInput } from "../errors.js";
import { isJsonObject, parseStrictJson } from "./strict-json.js";

/** A model of several files: which file has which tensor. */
export interface ShardIndex {
  /** Bare names, sorted. */
  readonly fileNames: readonly string[];
  /** File name by tensor name. */
  readonly tensors: ReadonlyMap<string, string>;
}

/** Larger index files are not read. */
export const INDEX_MAX_BYTES = 100_000_000;
const FILE_NAME_MAX_LENGTH = 255;

/** Parses `model.safetensors.index.json`. @throws VramError `INVALID_INPUT` */
export function parseShardIndex(bytes: Uint8Array): ShardIndex {
  const index = parseStrictJson("source", bytes);
  const weightMap = isJsonObject(index) ? index.get("weight_map") : undefined;
  if (!isJsonObject(weightMap) || weightMap.size === 0) throw invalidInput("source", "be an index with a weight_map of files");
  const tensors = new Map<string, string>();
  for (const [name, fileName] of weightMap) {
    if (!isBareFileName(fileName)) throw invalidInput("source", "be an index of bare file names, which lie beside it");
    tensors.set(name, fileName);
  }
  return { fileNames: [...new Set(tensors.values())].sort(), tensors };
}

function isBareFileName(name: unknown): name is string {
  return (
    typeof name === "string" &&
    textProblem(name, FILE_NAME_MAX_LENGTH) === undefined &&
    !/[/\\]/.test(name) &&
    name !== "." &&
    name !== ".."
  );
}
