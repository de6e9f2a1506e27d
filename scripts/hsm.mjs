// A token in SoftHSM for tests and the benchmark, where `node scripts/setup-hsm.mjs` has set it up.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MODULE = fileURLToPath(new URL("../build/hsm/node_modules/pkcs11js", import.meta.url));
const LIBRARY = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"].find((path) => existsSync(path)) ?? "";

export const PIN = "1234";

const CKM_EC_KEY_PAIR_GEN = 0x1040;
const CKM_EC_EDWARDS_KEY_PAIR_GEN = 0x1055;
const CURVES = {
  "ed25519": { mechanism: CKM_EC_EDWARDS_KEY_PAIR_GEN, params: "06032b6570" },
  "ed448": { mechanism: CKM_EC_EDWARDS_KEY_PAIR_GEN, params: "06032b6571" },
  "P-256": { mechanism: CKM_EC_KEY_PAIR_GEN, params: "06082a8648ce3d030107" },
};

export const isHsmSetUp = () =>
  existsSync(join(MODULE, "build/Release/pkcs11.node")) && LIBRARY !== "" && spawnSync("softhsm2-util", ["--version"]).error === undefined;

export const pkcs11 = () => createRequire(import.meta.url)(MODULE);

/** A token in a SoftHSM with its state in a folder, for this process, which must not have used SoftHSM before, and what it starts. */
export function makeToken(folder, label) {
  const tokens = join(folder, "tokens");
  mkdirSync(tokens);
  const config = join(folder, "softhsm2.conf");
  writeFileSync(config, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  process.env.SOFTHSM2_CONF = config;
  const { status, error, stderr } = spawnSync("softhsm2-util", ["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "56789"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`softhsm2-util failed: ${error?.message ?? stderr}`);
  return {
    library: LIBRARY,
    /** Makes secret keys: random ones that stay in the token, or, for `value`, known ones. */
    addKeys: (...keys) => inSession(label, (session) => keys.forEach((key) => addKey(session, key))),
    /** Makes key pairs whose private key stays in the token. */
    addKeyPairs: (...pairs) => inSession(label, (session) => pairs.forEach((pair) => addKeyPair(session, pair))),
    /** Takes the token's objects away, as when it is pulled out. */
    pull: () => rmSync(tokens, { recursive: true, force: true }),
  };
}

/** Works with a session that may write, logged in. */
function inSession(label, work) {
  const module = pkcs11();
  const library = new module.PKCS11();
  library.load(LIBRARY);
  library.C_Initialize({ flags: 0 });
  try {
    const slot = library.C_GetSlotList(true).find((each) => library.C_GetTokenInfo(each).label.trimEnd() === label);
    if (slot === undefined) throw new Error("the token is not there");
    const handle = library.C_OpenSession(slot, module.CKF_SERIAL_SESSION | module.CKF_RW_SESSION);
    library.C_Login(handle, module.CKU_USER, PIN);
    work({ module, library, handle });
  } finally {
    library.C_Finalize();
    library.close();
  }
}

/** Attributes by their names without CKA_. */
const template = (module, attributes) => Object.entries(attributes).map(([name, value]) => ({ type: module[`CKA_${name}`], value }));

const STAYS = { TOKEN: true, PRIVATE: true, SENSITIVE: true, SIGN: true };

function addKey({ module, library, handle }, { label, value }) {
  const common = { ...STAYS, CLASS: module.CKO_SECRET_KEY, LABEL: label, EXTRACTABLE: value !== undefined };
  if (value === undefined) {
    library.C_GenerateKey(handle, { mechanism: module.CKM_GENERIC_SECRET_KEY_GEN }, template(module, { ...common, VALUE_LEN: 32 }));
  } else {
    library.C_CreateObject(handle, template(module, { ...common, KEY_TYPE: module.CKK_GENERIC_SECRET, VALUE: value }));
  }
}

function addKeyPair({ module, library, handle }, { curve, publicLabel, privateLabel }) {
  const { mechanism, params } = CURVES[curve];
  const publicKey = template(module, { TOKEN: true, VERIFY: true, LABEL: publicLabel, EC_PARAMS: Buffer.from(params, "hex") });
  const privateKey = template(module, { ...STAYS, LABEL: privateLabel, EXTRACTABLE: false });
  library.C_GenerateKeyPair(handle, { mechanism }, publicKey, privateKey);
}
