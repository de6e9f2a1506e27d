import { rootKeys } from "./root-keys.js";
import type { SealKey } from "./seal-key.js";

/** A new random root key that lives as long as this process: its seals cannot be verified by any other. */
export function generate(): Promise<SealKey> {
  return new Promise((resolve) => {
    resolve(rootKeys().random());
  });
}
