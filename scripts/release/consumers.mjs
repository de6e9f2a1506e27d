// Installs what was published into empty folders, as strangers do: from the registry, without scripts, and with nothing on PATH
// that could compile.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FACADE } from "../checks/packages.mjs";
import { attempt, step } from "./workplace.mjs";

const programs = fileURLToPath(new URL("programs", import.meta.url));
const MODULES = { ESM: "mjs", CJS: "cjs" };
const ALONE = ["vram-seal", "vram-policy", "vram-audit", FACADE];
/** What `doctor` prints where there is a driver, and where there is none. */
const DIAGNOSIS = /^driver\b|DRIVER_UNAVAILABLE: No CUDA driver/m;

const MANAGERS = {
  npm: { install: ["install", "--ignore-scripts", "--no-audit", "--no-fund"], exec: ["npx", "--no-install"] },
  pnpm: { install: ["add", "--ignore-scripts"], exec: ["pnpm", "exec"] },
};

/** The environment of a user with that Node: PATH has node, the package managers, a shell and what these need, and nothing that compiles. */
export function userEnvironment(folder, node, pnpm, env) {
  mkdirSync(folder, { recursive: true });
  const which = (name) => spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
  const tools = { node, pnpm, npm: realpathSync(which("npm")), npx: realpathSync(which("npx")) };
  for (const name of ["sh", "env", "dirname", "basename", "uname", "sed"]) tools[name] = which(name);
  for (const [name, program] of Object.entries(tools)) symlinkSync(program, join(folder, name));
  return { ...env, PATH: folder };
}

/** Installs packages with npm or pnpm in a new folder, and puts the programs there. */
export async function installIn(folder, manager, names, env) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", version: "0.0.0", private: true }));
  await step(manager, [...MANAGERS[manager].install, ...names], { cwd: folder, env });
  cpSync(programs, folder, { recursive: true });
}

const told = ({ status, output }, expected) => (status === 0 && output.includes(expected) ? undefined : output.trim() || `exit ${status}`);

/** Runs both programs and `doctor` in an app with one Node; answers a row for each module system. */
export async function tryFacade(folder, manager, version, env) {
  const [program, ...args] = [...MANAGERS[manager].exec, "vram-residency", "doctor"];
  const { output } = await attempt(program, args, { cwd: folder, env });
  const doctor = DIAGNOSIS.test(output) ? undefined : output;
  const rows = [];
  for (const [modules, extension] of Object.entries(MODULES)) {
    const ran = await attempt("node", [`facade.${extension}`], { cwd: folder, env });
    rows.push({ manager, version, modules, what: "facade", problems: { program: told(ran, `Node ${version}: sealed, verified, executed, refused`), doctor } });
  }
  return rows;
}

/** Installs packages each by itself, the facade without the simulator, and runs them; answers a row for each module system. */
export async function tryAlone(folder, manager, version, env) {
  const rows = [];
  for (const name of ALONE) {
    const app = join(folder, name);
    await installIn(app, manager, [name], env);
    for (const [modules, extension] of Object.entries(MODULES)) {
      const ran = await attempt("node", [`alone.${extension}`, name], { cwd: app, env });
      rows.push({ manager, version, modules, what: `${name} alone`, problems: { program: told(ran, `Node ${version}: works alone`) } });
    }
  }
  return rows;
}
