import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const OUTSIDE = "$TURBO_ROOT$/";

/** What the turbo task that builds a package's addon reads from outside of it: files, and folders that end with two stars. */
export function buildInputs(packageFolder) {
  const file = join(packageFolder, "turbo.json");
  if (!existsSync(file)) return [];
  const { inputs } = JSON.parse(readFileSync(file, "utf8")).tasks.build;
  return inputs.filter((input) => input.startsWith(OUTSIDE)).map((input) => input.slice(OUTSIDE.length));
}

export const isOf = (file, input) => (input.endsWith("/**") ? file.startsWith(input.slice(0, -2)) : file === input);
