// Mutants of the digest kernel: each has one operand changed at random, and must be refused or give a wrong digest.
// npm run mutants [-- --count N --seed S]. Ends with 1 where one survives that is not shown to be equivalent.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { equivalence } from "./mutants/equivalence.mjs";
import { mutantsOf } from "./mutants/mutate.mjs";
import { randomFrom } from "./random.mjs";

const BLOCK = 4096;
const root = fileURLToPath(new URL("..", import.meta.url));
const text = { type: "string" };
const { values } = parseArgs({ options: { count: { ...text, default: "150" }, seed: { ...text, default: String(Date.now() % 2 ** 31) } } });
const [count, seed] = [values.count, values.seed].map(Number);
if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed)) {
  console.error("--count must be an integer of at least 1, --seed an integer");
  process.exit(2);
}
const random = randomFrom(seed);

/** Blocks and their SHA-256, as the judge reads them. The known answer's data come first. */
function casesFile() {
  const pattern = (index) => index % 251;
  const inputs = [
    { stage: 0, blocks: 1, byte: pattern },
    { stage: 0, blocks: 129, byte: (index) => (index < 128 * BLOCK + 1 ? pattern(index) : 0) },
    ...[2, 64, 128, 300].map((blocks) => ({ stage: 1, blocks, byte: () => Math.floor(random() * 256) })),
    { stage: 1, blocks: 3, byte: () => 0 },
    { stage: 1, blocks: 3, byte: () => 255 },
  ];
  return Buffer.concat(
    inputs.flatMap(({ stage, blocks, byte }) => {
      const data = Buffer.from(Uint8Array.from({ length: blocks * BLOCK }, (_, index) => byte(index)));
      const digests = Array.from({ length: blocks }, (_, k) => createHash("sha256").update(data.subarray(k * BLOCK, (k + 1) * BLOCK)).digest());
      const head = Buffer.alloc(8);
      head.writeUInt32LE(stage);
      head.writeUInt32LE(blocks, 4);
      return [head, data, ...digests];
    }),
  );
}

function buildJudge(folder) {
  const judge = join(folder, "judge");
  const interpreter = ["definite_assignment", "ptx_interpreter", "ptx_operations", "ptx_parser", "slot_allocation"];
  const sources = ["scripts/mutants/judge.cpp", ...interpreter.map((name) => `native/simulator/${name}.cpp`)];
  const options = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-I", "native"];
  const { status, stderr, error } = spawnSync("c++", [...options, ...sources, "-o", judge, "-lpthread"], { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`the judge does not compile: ${error?.message ?? stderr}`);
  return judge;
}

/** Answers `verdictOn(ptx)` and `close()`. */
function startJudge(folder) {
  const cases = join(folder, "cases");
  writeFileSync(cases, casesFile());
  const child = spawn(buildJudge(folder), [cases], { stdio: ["pipe", "pipe", "inherit"] });
  const verdicts = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async verdictOn(ptx) {
      child.stdin.write(`${Buffer.byteLength(ptx)}\n${ptx}`);
      const { value, done } = await verdicts.next();
      if (done) throw new Error("the judge ended");
      return value;
    },
    async close() {
      child.stdin.end();
      await once(child, "close");
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), "vram-mutants-"));
try {
  const judge = startJudge(folder);
  const ptx = readFileSync(join(root, "native/kernel/fsverity.ptx"), "utf8");
  const own = await judge.verdictOn(ptx);
  if (own !== "survived") throw new Error(`the kernel itself fails: ${own}`);
  const next = mutantsOf(ptx, random);
  const killed = new Map();
  const reasons = new Map();
  let survived = 0;
  for (let made = 0; made < count; made += 1) {
    const mutant = next();
    const verdict = await judge.verdictOn(mutant.text);
    if (verdict !== "survived") {
      killed.set(verdict, (killed.get(verdict) ?? 0) + 1);
      continue;
    }
    const reason = equivalence(ptx, mutant);
    if (reason !== undefined) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      continue;
    }
    survived += 1;
    console.log(`SURVIVED: line ${mutant.line}\n  - ${mutant.before.trim()}\n  + ${mutant.after.trim()}`);
  }
  await judge.close();
  const sum = (counts) => [...counts.values()].reduce((total, each) => total + each, 0);
  const list = (counts) => (counts.size === 0 ? "" : ` (${[...counts].map(([name, each]) => `${name} ${each}`).join(", ")})`);
  console.log(`${count} mutants, seed ${seed}: ${sum(killed)} killed${list(killed)}, ${sum(reasons)} equivalent${list(reasons)}, ${survived} survived`);
  process.exitCode = survived === 0 ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
