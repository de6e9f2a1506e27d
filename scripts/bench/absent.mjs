import { createRequire } from "node:module";

/** Why something that needs a package cannot be had, if the package is not there. */
export function absentWithout(name, from = import.meta.url) {
  try {
    createRequire(from).resolve(name);
    return undefined;
  } catch {
    return `needs ${name}`;
  }
}
