// Runs what the documents say can be run: each document in a folder of its own, its commands and programs in order.
import { spawnSync } from "node:child_process";
import ts from "typescript";
import { extensionOf } from "./compile.mjs";
import { namedProblem } from "./named.mjs";
import { commandsOf } from "./shell.mjs";
import { openWorkplace } from "./workplace.mjs";

/** Commands that run on until they are stopped: services, and readers of what goes on. */
const ENDLESS = /^(npx )?vram-residency hold (?!.*--check)|--follow\b|^curl -N |\s&$/;

const TOOLS = ["curl", "fsverity", "jq", "openssl", "pkcs11-tool", "python3", "softhsm2-util"];
/** Continuous integration has them all. */
const ABSENT_TOOLS = process.env.VRAM_REQUIRE_TOOLS ? [] : TOOLS.filter((name) => spawnSync(name, ["--version"]).error !== undefined);

/** A key file that a document makes itself; none is written over one that is there. */
const KEY_FILE = /vram-residency key generate ([\w./-]+)/g;

/**
 * Answers what was wrong, which blocks lack a tool, and of the commands and programs how many ran, were looked up, or were left out.
 * @param template the folder with the fixtures, which each document gets a copy of
 */
export async function runDocuments(documents, { template, notRun, absentTools = ABSENT_TOOLS }) {
  const run = new Run(template, notRun, absentTools);
  for (const document of documents) await run.document(document);
  return run.result();
}

class Run {
  #template;
  #notRun;
  #absentTools;
  #matched = new Set();
  #lacking = [];
  #problems = [];
  #count = { ran: 0, lookedUp: 0, leftOut: 0 };

  constructor(template, notRun, absentTools) {
    this.#template = template;
    this.#notRun = notRun;
    this.#absentTools = absentTools;
  }

  async document({ file, blocks, spans }) {
    for (const { line, text } of spans) this.#lookUp(file, line, text);
    if (!blocks.some(({ language, isRun }) => isRun || language === "sh")) return;
    const workplace = await openWorkplace(this.#template);
    try {
      for (const [, name] of blocks.flatMap(({ text }) => [...text.matchAll(KEY_FILE)])) workplace.withhold(name);
      for (const block of blocks) if (block.name !== undefined) workplace.write(fileOf(block), programOf(block));
      for (const block of blocks) await this.#block(workplace, block);
    } finally {
      await workplace.close();
    }
  }

  result() {
    const unmatched = this.#lacking.length === 0 ? this.#notRun.filter((entry) => !this.#matched.has(entry)) : [];
    return { problems: [...this.#problems, ...unmatched.map(({ command }) => `not-run.mjs: no command is like ${command}`)], lacking: this.#lacking, ...this.#count };
  }

  async #block(workplace, block) {
    if (block.isRun) await this.#program(workplace, block);
    if (block.language !== "sh" || this.#lacksTool(block)) return;
    for (const command of commandsOf(block)) await this.#command(workplace, block.file, command);
    for (const problem of await workplace.stopAll()) this.#tell(block.file, block.line, problem);
  }

  async #program(workplace, block) {
    if (block.name === undefined) workplace.write(fileOf(block), programOf(block));
    this.#count.ran += 1;
    this.#tell(block.file, block.line, await workplace.runFile(fileOf(block)));
  }

  async #command(workplace, file, { line, text, exitCode }) {
    if (this.#lookUp(file, line, text)) return;
    const left = this.#notRun.find(({ command }) => command.test(text));
    if (left !== undefined) {
      this.#matched.add(left);
      this.#count.leftOut += 1;
      return;
    }
    this.#count.ran += 1;
    const problem = ENDLESS.test(text) ? await workplace.startCommand(text.replace(/\s&$/, "")) : await workplace.runCommand(text, exitCode);
    this.#tell(file, line, problem === undefined ? undefined : `${text}\n          ${problem}`);
  }

  /** Notes where commands cannot be run for want of a program. */
  #lacksTool({ file, line, text }) {
    const tool = this.#absentTools.find((name) => new RegExp(`\\b${name}\\b`).test(text));
    if (tool === undefined) return false;
    this.#lacking.push(`${file}:${line}: ${tool} is not installed`);
    return true;
  }

  /** Whether it is a command that is looked up. */
  #lookUp(file, line, text) {
    const problem = namedProblem(file, text);
    if (problem === null) return false;
    this.#count.lookedUp += 1;
    this.#tell(file, line, problem);
    return true;
  }

  #tell(file, line, problem) {
    if (problem !== undefined) this.#problems.push(`${file}:${line}: ${problem}`);
  }
}

/** TypeScript is made into what every Node.js runs. */
const fileOf = (block) => (block.name ?? `block-${block.line}${extensionOf(block)}`).replace(/\.m?ts$/, ".mjs");

/** What Node.js can run, of a block in TypeScript too; anything else as it stands. */
function programOf({ language, text }) {
  if (language !== "ts") return text;
  const { outputText } = ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 } });
  return outputText;
}
