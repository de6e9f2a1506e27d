// Runs the grid in several processes, since the simulated machine is one for each.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { callsOf, runCell } from "./cell.mjs";
import { entryPoints, faultsOn } from "./faults.mjs";
import { operations } from "./operations.mjs";
import { judge } from "./outcomes.mjs";

async function* cells() {
  for (const operation of Object.keys(operations)) {
    const calls = await callsOf(operation);
    for (const entryPoint of entryPoints.filter((name) => calls[name] > 0)) {
      for (const fault of faultsOn(entryPoint, calls[entryPoint], { holdsShards: operations[operation].shards > 0 })) yield { operation, fault };
    }
  }
}

async function runShare(job, jobs) {
  let index = 0;
  for await (const { operation, fault } of cells()) {
    if (index % jobs === job) {
      const seen = await runCell(operation, fault);
      process.send({ index, operation, ...fault, inject: undefined, seen, wrong: judge(operation, fault, seen) });
    }
    index += 1;
  }
}

/** Answers every cell with what was seen and what is wrong with it, in the order of operations and entry points. */
export async function runGrid(jobs) {
  const results = [];
  const shares = Array.from({ length: jobs }, (_, job) => {
    const child = fork(fileURLToPath(import.meta.url), [String(job), String(jobs)]);
    child.on("message", (result) => results.push(result));
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`a part of the grid ended with ${code}`))));
    });
  });
  await Promise.all(shares);
  return results.sort((a, b) => a.index - b.index);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on("disconnect", () => process.exit()); // the parent ended
  await runShare(...process.argv.slice(2).map(Number));
  process.disconnect();
}
