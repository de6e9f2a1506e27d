// The folder that a document's commands and programs run in, with the fixtures, the packages and the command on PATH.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "../checks/tree.mjs";
import { freePorts } from "../free-ports.mjs";
import { Child } from "./child.mjs";
import { PLACED_FILES } from "./fixtures.mjs";

const PACKAGES = join(root, "scripts/docs/node_modules");
const CLI = join(root, "packages/vram-residency/dist/cli.js");
/** Places and a port of a production machine, for which a document's folder and a free port stand in. */
const PLACE = /(?<![\w.$/}])\/(?=(var|etc|mnt|srv|run)\/)/g;
const PORT = /\b9464\b/g;

/** SoftHSM's configuration and tokens, which are otherwise the user's. */
const SOFTHSM = "softhsm2.conf";
const TOKENS = "tokens";

/** One shell a command, and yet variables and the folder go on from one to the next. */
const RESTORE = 'set -a -o pipefail; [ ! -e .shell ] || { . ./.shell; cd "$PWD"; }';
const KEEP = 'status=$?; export -p > "$HOME/.shell"; exit $status';

/** The simulator serves what holds a model on a GPU; what can name it itself runs as it is written. */
const SHIM = `#!/bin/sh
case "$1" in
  hold) shift; exec "${process.execPath}" "${CLI}" hold --simulate=always "$@" ;;
  *) exec "${process.execPath}" "${CLI}" "$@" ;;
esac
`;

/** A new folder like `template`; to be closed. */
export async function openWorkplace(template) {
  const folder = mkdtempSync(join(tmpdir(), "vram-docs-"));
  cpSync(template, folder, { recursive: true });
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, ".bin"), { recursive: true });
  writeFileSync(join(modules, ".bin/vram-residency"), SHIM, { mode: 0o755 });
  for (const name of readdirSync(PACKAGES)) if (!name.startsWith(".")) symlinkSync(join(PACKAGES, name), join(modules, name));
  symlinkSync(join(root, "scripts"), join(folder, "scripts"));
  const [port] = await freePorts(1);
  const workplace = new Workplace(folder, String(port));
  for (const [name, text] of Object.entries(PLACED_FILES)) workplace.write(name, text);
  mkdirSync(join(folder, TOKENS));
  workplace.write(SOFTHSM, `directories.tokendir = ${join(folder, TOKENS)}\n`);
  return workplace;
}

class Workplace {
  #folder;
  #port;
  #running = [];

  constructor(folder, port) {
    this.#folder = folder;
    this.#port = port;
  }

  /** Writes a file of the document, with this folder and its port in the place of a machine's. */
  write(name, text) {
    const file = join(this.#folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, this.#here(text));
  }

  /** Takes a fixture away that the document makes itself. */
  withhold(name) {
    rmSync(join(this.#folder, name), { force: true });
  }

  /** Runs a program of the folder to its end; answers what is wrong with that. */
  runFile(name) {
    return this.#start(process.execPath, [name]).end(0);
  }

  /** Runs a shell command to its end; answers what is wrong with that. What it sets, and where it goes, stays for the next one. */
  runCommand(text, exitCode) {
    return this.#start("bash", ["-c", `${RESTORE}\n${this.#here(text)}\n${KEEP}`]).end(exitCode);
  }

  /** Starts a command that runs on until `stopAll()`; answers what is wrong if it does not begin. */
  startCommand(text) {
    const child = this.#start("bash", ["-c", `${RESTORE}\nexec ${this.#here(text)}`]);
    this.#running.push(child);
    return child.begin();
  }

  /** Stops what was started; answers what is wrong with how it ends. */
  async stopAll() {
    const problems = [];
    for (const child of this.#running.splice(0).reverse()) problems.push(await child.stop());
    return problems.filter((problem) => problem !== undefined);
  }

  /** Stops what still runs, and removes the folder. */
  async close() {
    await this.stopAll();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #here(text) {
    return text.replace(PLACE, `${this.#folder}/`).replace(PORT, this.#port);
  }

  #start(program, args) {
    const env = {
      ...process.env,
      PATH: `${this.#folder}/node_modules/.bin:${process.env.PATH}`,
      HOME: this.#folder,
      CREDENTIALS_DIRECTORY: `${this.#folder}/credentials`,
      SOFTHSM2_CONF: join(this.#folder, SOFTHSM),
      NO_COLOR: "1",
    };
    return new Child(program, args, { cwd: this.#folder, env });
  }
}
