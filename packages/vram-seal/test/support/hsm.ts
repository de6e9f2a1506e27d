import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { it } from "vitest";
import type { Pkcs11Attribute, Pkcs11Handle, Pkcs11Library, Pkcs11Module } from "../../src/index.js";

/** As scripts/setup-hsm.mjs makes it. */
const MODULE = fileURLToPath(new URL("../../../../build/hsm/node_modules/pkcs11js", import.meta.url));
const SOFTHSM = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"].find((path) => existsSync(path));

const isThere = existsSync(join(MODULE, "build/Release/pkcs11.node")) && SOFTHSM !== undefined && spawnSync("softhsm2-util", ["--version"]).error === undefined;

/** A test with SoftHSM. Skipped where it was not set up (`node scripts/setup-hsm.mjs`); with VRAM_REQUIRE_TOOLS set it then fails. */
export const itWithHsm = isThere || process.env["VRAM_REQUIRE_TOOLS"] ? it : it.skip;

export const pkcs11 = (): Pkcs11Module => createRequire(import.meta.url)(MODULE) as Pkcs11Module;

interface KeyMaker extends Pkcs11Library {
  C_GenerateKey(session: Pkcs11Handle, mechanism: { readonly mechanism: number }, template: Pkcs11Attribute[]): Pkcs11Handle;
  C_CreateObject(session: Pkcs11Handle, template: Pkcs11Attribute[]): Pkcs11Handle;
}

export const PIN = "1234";
const CKM_GENERIC_SECRET_KEY_GEN = 0x350;
const SESSION = { serial: 0x4, readWrite: 0x2, user: 1 };
const CKK_GENERIC_SECRET = 0x10;

/** SoftHSM with one token, whose folder goes with `remove`. The process must not have used SoftHSM before. */
export function makeToken(label: string) {
  const folder = mkdtempSync(join(tmpdir(), "vram-hsm-"));
  mkdirSync(join(folder, "tokens"));
  const config = join(folder, "softhsm2.conf");
  writeFileSync(config, `directories.tokendir = ${join(folder, "tokens")}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  process.env["SOFTHSM2_CONF"] = config;
  execFileSync("softhsm2-util", ["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "56789"]);
  return {
    library: SOFTHSM ?? "",
    /** Makes keys in the token: random ones that stay there, or, for `value`, known ones. */
    addKeys(...keys: readonly { readonly label: string; readonly value?: Buffer }[]): void {
      const library = new (pkcs11().PKCS11)() as KeyMaker;
      library.load(SOFTHSM ?? "");
      library.C_Initialize({ flags: 0 });
      try {
        const slot = library.C_GetSlotList(true).find((each) => library.C_GetTokenInfo(each).label.trimEnd() === label);
        if (slot === undefined) throw new Error("the token is not there");
        const session = library.C_OpenSession(slot, SESSION.serial | SESSION.readWrite);
        library.C_Login(session, SESSION.user, PIN);
        for (const key of keys) addKey(library, session, key);
      } finally {
        library.C_Finalize();
        library.close();
      }
    },
    /** Takes the token's objects away, as when it is pulled out. */
    pull(): void {
      rmSync(join(folder, "tokens"), { recursive: true, force: true });
    },
    remove(): void {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function addKey(library: KeyMaker, session: Pkcs11Handle, { label, value }: { readonly label: string; readonly value?: Buffer }): void {
  const common = [
    { type: 0x0, value: 0x4 }, // CKA_CLASS, CKO_SECRET_KEY
    { type: 0x1, value: true }, // CKA_TOKEN
    { type: 0x2, value: true }, // CKA_PRIVATE
    { type: 0x3, value: label },
    { type: 0x103, value: true }, // CKA_SENSITIVE
    { type: 0x108, value: true }, // CKA_SIGN
    { type: 0x162, value: value !== undefined }, // CKA_EXTRACTABLE
  ];
  if (value === undefined) {
    library.C_GenerateKey(session, { mechanism: CKM_GENERIC_SECRET_KEY_GEN }, [...common, { type: 0x161, value: 32 }]);
  } else {
    library.C_CreateObject(session, [...common, { type: 0x100, value: CKK_GENERIC_SECRET }, { type: 0x11, value }]);
  }
}
