import { textProblem } from "vram-text";
import { invalidInput } from "../errors.js";
import { JsonReader } from "./json-reader.js";
import { Pauses } from "./pauses.js";

/** A model of several files: which file has which tensor. */
export interface ShardIndex {
  /** Bare names, sorted. */
  readonly fileNames: readonly string[];
  /** File name by tensor name. */
  readonly tensors: ReadonlyMap<string, string>;
}

const FILE_NAME_MAX_LENGTH = 255;
const INDEX_EXPECTATION = "be an index with a weight_map of files";
const FILE_EXPECTATION = "be an index of bare file names, which lie beside it";

/** Parses `model.safetensors.index.json`. @throws VramError `INVALID_INPUT` */
export async function parseShardIndex(bytes: Uint8Array): Promise<ShardIndex> {
  const json = new JsonReader("source", bytes);
  const tensors = new Map<string, string>();
  const pauses = new Pauses();
  for (const key of json.members(INDEX_EXPECTATION)) {
    if (key !== "weight_map") {
      json.skip();
      continue;
    }
    for (const name of json.members(INDEX_EXPECTATION)) {
      const fileName = json.string(FILE_EXPECTATION);
      if (!isBareFileName(fileName)) throw invalidInput("source", FILE_EXPECTATION);
      tensors.set(name, fileName);
      await pauses.step();
    }
  }
  json.end();
  if (tensors.size === 0) throw invalidInput("source", INDEX_EXPECTATION);
  return { fileNames: [...new Set(tensors.values())].sort(), tensors };
}

function isBareFileName(name: string): boolean {
  return (
    textProblem(name, FILE_NAME_MAX_LENGTH) === undefined &&
    !/[/\\]/.test(name) &&
    name !== "." &&
    name !== ".."
  );
}
