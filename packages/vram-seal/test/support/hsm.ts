import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isHsmSetUp, makeToken, pkcs11 as loadPkcs11 } from "../../../../scripts/hsm.mjs";
import type { Token } from "../../../../scripts/hsm.mjs";
import type { Pkcs11Module } from "../../src/index.js";
import { itWhere } from "./tool.js";

export { PIN } from "../../../../scripts/hsm.mjs";

/** A test with SoftHSM, where `node scripts/setup-hsm.mjs` has set it up. */
export const itWithHsm = itWhere(isHsmSetUp());

export const pkcs11 = (): Pkcs11Module => loadPkcs11() as Pkcs11Module;

/** SoftHSM with one token, whose folder goes with `remove`. The process must not have used SoftHSM before. */
export function startHsm(label: string): Token & { remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "vram-hsm-"));
  return {
    ...makeToken(folder, label),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
