// Fuzzes what reads untrusted bytes: C++ with libFuzzer, TypeScript with changed bytes of a corpus that grows by new outcomes.
// npm run fuzz [-- --seconds N] [--seed N] [--target NAME] [--json FILE]. Ends with 1 where it finds anything.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./checks/tree.mjs";
import { mutated } from "./fuzz/mutate.mjs";
import { fuzzNative, hasCompiler, nativeTargets } from "./fuzz/native.mjs";
import { targets } from "./fuzz/targets.mjs";
import { randomFrom } from "./random.mjs";

const HANG_MS = 10_000;
const corpus = join(root, "scripts/fuzz/corpus");
const findings = join(root, ".results/fuzz");
const text = { type: "string" };
const { values } = parseArgs({ options: { seconds: { ...text, default: "60" }, seed: { ...text, default: String(Date.now() % 2 ** 31) }, target: text, json: text } });
const [seconds, seed] = [values.seconds, values.seed].map(Number);
const names = [...nativeTargets, ...Object.keys(targets)];
if (!Number.isSafeInteger(seconds) || seconds < 1 || !Number.isSafeInteger(seed) || (values.target !== undefined && !names.includes(values.target))) {
  console.error(`--seconds must be an integer of at least 1, --seed an integer, --target one of ${names.join(", ")}`);
  process.exit(2);
}

/** Inputs that were findings once, or that reach far. */
const keptInputs = (name) => (existsSync(join(corpus, name)) ? readdirSync(join(corpus, name)).sort().map((file) => readFileSync(join(corpus, name, file))) : []);

async function fuzzScript(name, milliseconds) {
  const { seeds, words, run, end } = await targets[name]();
  const random = randomFrom(seed);
  const inputs = [...seeds, ...keptInputs(name)];
  const outcomes = new Set();
  const problems = [];
  let count = 0;
  const attempt = async (bytes) => {
    const startMs = performance.now();
    count += 1;
    try {
      const outcome = await run(bytes);
      if (performance.now() - startMs > HANG_MS) throw new Error("took too long");
      if (!outcomes.has(outcome) && outcomes.size < 5_000) {
        outcomes.add(outcome);
        inputs.push(bytes);
      }
    } catch (error) {
      mkdirSync(findings, { recursive: true });
      const file = join(findings, `${name}-${count}`);
      writeFileSync(file, bytes);
      problems.push(`${error.name}: ${error.message} (.results/fuzz/${name}-${count}; keep it in scripts/fuzz/corpus/${name})`);
    }
  };
  const deadline = performance.now() + milliseconds;
  for (const input of [...inputs]) await attempt(input);
  while (performance.now() < deadline && problems.length < 3) await attempt(mutated(inputs, { random, words }));
  end?.();
  return { inputs: count, problems };
}

const chosen = names.filter((name) => values.target === undefined || name === values.target);
const canCompile = hasCompiler();
const share = Math.max(1, Math.floor(seconds / chosen.length));
const results = [];
for (const name of chosen) {
  if (nativeTargets.includes(name) && !canCompile) {
    const problems = process.env.VRAM_REQUIRE_TOOLS ? ["clang++-14 is not installed"] : [];
    console.log(`LEFT OUT ${name}: clang++-14 is not installed`);
    results.push({ name, inputs: 0, problems });
    continue;
  }
  const result = nativeTargets.includes(name) ? fuzzNative(name, { seconds: share, seed, corpus }) : await fuzzScript(name, share * 1000);
  results.push({ name, ...result });
  console.log(`${result.problems.length === 0 ? "ok     " : "FOUND  "} ${name.padEnd(12)} ${result.inputs} inputs`);
  for (const problem of result.problems) console.log(`        ${problem}`);
}

const cases = results.map(({ name, problems }) => ({ title: `fuzzing ${name} finds nothing`, ok: problems.length === 0, message: problems.join("; ") }));
const failed = cases.filter(({ ok }) => !ok).length;
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ passed: cases.length - failed, failed, cases }));
const inputs = results.reduce((sum, each) => sum + each.inputs, 0);
console.log(`${results.length} targets, ${inputs} inputs, ${seconds} s, seed ${seed}: ${results.flatMap(({ problems }) => problems).length} findings`);
process.exitCode = failed === 0 ? 0 : 1;
