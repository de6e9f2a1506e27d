import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const flag = { type: "boolean", default: false };
const text = { type: "string" };
const OPTIONS = { json: flag, quick: flag, gpu: flag, out: text, only: text, seed: text, native: text, probe: text, compare: text, "write-baseline": text };

function readJson(option, file) {
  try {
    const value = JSON.parse(readFileSync(file, "utf8"));
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Told below.
  }
  throw new Error(`${option} must name a readable file with a JSON object`);
}

function readSeed(given = Date.now() % 2 ** 31) {
  const seed = Number(given);
  if (given === "" || !Number.isSafeInteger(seed)) throw new Error("--seed must be an integer");
  return seed;
}

function assertProgram(file) {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    throw new Error("--native must name a program");
  }
}

/** @throws Error that names the argument and what was expected */
export function readOptions(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const { json, quick, gpu, out, only, native, probe, compare, "write-baseline": target } = values;
  if (compare !== undefined && target !== undefined) throw new Error("--compare and --write-baseline exclude each other");
  if (only !== undefined && (compare ?? target) !== undefined) throw new Error("--only leaves rows out, which --compare and --write-baseline need");
  if (native !== undefined) assertProgram(native);
  return {
    ...{ json, quick, out, only, native, target },
    seed: readSeed(values.seed),
    rounds: quick ? 3 : 10,
    requiresGpu: gpu,
    probe: probe === undefined ? undefined : readJson("--probe", probe),
    baseline: compare === undefined ? undefined : readJson("--compare", compare),
    /** What a file to be written holds of other machines. */
    others: target !== undefined && existsSync(target) ? readJson("--write-baseline", target) : {},
  };
}
