// A seal key in SoftHSM, where `node scripts/setup-hsm.mjs` has set it up.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromPkcs11 } from "vram-seal";
import { hasProgram } from "./programs.mjs";

const MODULE = fileURLToPath(new URL("../../build/hsm/node_modules/pkcs11js", import.meta.url));
const LIBRARY = "/usr/lib/softhsm/libsofthsm2.so";
const LABEL = "bench";
const PIN = "1234";

export const isTokenAbsent = () =>
  existsSync(join(MODULE, "build/Release/pkcs11.node")) && existsSync(LIBRARY) && hasProgram("softhsm2-util")
    ? undefined
    : "SoftHSM is not set up";

/** A random key in a new token, used by the token alone. */
export async function openTokenKey(folder) {
  const tokens = join(folder, "tokens");
  mkdirSync(tokens);
  const config = join(folder, "softhsm2.conf");
  writeFileSync(config, `directories.tokendir = ${tokens}\nobjectstore.backend = file\n`);
  process.env.SOFTHSM2_CONF = config;
  const { status, stderr } = spawnSync("softhsm2-util", ["--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "56789"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`softhsm2-util failed: ${stderr}`);
  const module = createRequire(import.meta.url)(MODULE);
  makeKey(module);
  return fromPkcs11({ library: LIBRARY, token: LABEL, pin: PIN, key: LABEL, mode: "direct", module });
}

function makeKey(pkcs11) {
  const library = new pkcs11.PKCS11();
  library.load(LIBRARY);
  library.C_Initialize();
  const slot = library.C_GetSlotList(true).find((each) => library.C_GetTokenInfo(each).label.trimEnd() === LABEL);
  const session = library.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION);
  library.C_Login(session, pkcs11.CKU_USER, PIN);
  const flags = Object.fromEntries(["TOKEN", "PRIVATE", "SENSITIVE", "SIGN"].map((name) => [name, true]));
  const attributes = { ...flags, CLASS: pkcs11.CKO_SECRET_KEY, LABEL, VALUE_LEN: 32, EXTRACTABLE: false };
  const template = Object.entries(attributes).map(([name, value]) => ({ type: pkcs11[`CKA_${name}`], value }));
  library.C_GenerateKey(session, { mechanism: pkcs11.CKM_GENERIC_SECRET_KEY_GEN }, template);
  library.C_Finalize();
  library.close();
}
