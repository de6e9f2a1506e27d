// Sets up what the tests of keys in tokens need: SoftHSM, pkcs11-tool and a software TPM with its broker from Debian, and
// pkcs11js, built in build/hsm. Idempotent.
// node scripts/setup-hsm.mjs
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGES = ["softhsm2", "opensc", "swtpm", "tpm2-abrmd", "libtss2-tcti-tabrmd0", "libtpm2-pkcs11-1", "libtpm2-pkcs11-tools", "dbus-daemon"];
const MODULE = "pkcs11js@2.1.7";
const NODE_GYP = "node-gyp@11.5.0";
const folder = fileURLToPath(new URL("../build/hsm", import.meta.url));

function run(program, args, cwd = folder) {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ["ignore", 2, 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  if (status !== 0) throw new Error(`${program} ${args[0]} failed${error === undefined ? "" : `: ${error.message}`}`);
}

const isInstalled = (name) => spawnSync("dpkg", ["-s", name]).status === 0;

function installPackages() {
  const missing = PACKAGES.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  if (process.getuid() !== 0) throw new Error(`install these Debian packages first: ${missing.join(" ")}`);
  run("apt-get", ["update", "-qq"]);
  run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing]);
}

function buildModule() {
  const addon = join(folder, "node_modules/pkcs11js");
  if (existsSync(join(addon, "build/Release/pkcs11.node"))) return;
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", MODULE]);
  run("npx", ["--yes", "--prefer-offline", NODE_GYP, "rebuild"], addon);
}

mkdirSync(folder, { recursive: true });
try {
  installPackages();
  buildModule();
  console.log("SoftHSM, the software TPM and pkcs11js are there");
} catch ({ message }) {
  console.error(message);
  process.exitCode = 1;
}
