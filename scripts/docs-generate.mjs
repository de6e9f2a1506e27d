// Writes the reference and the error catalogue. npm run docs:generate
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./checks/tree.mjs";
import { REFERENCE, renderGenerated } from "./docs/reference/generated.mjs";

const { texts, problems } = await renderGenerated();
rmSync(join(root, REFERENCE), { recursive: true, force: true });
for (const [name, text] of Object.entries(texts)) {
  const file = join(root, REFERENCE, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
for (const problem of problems) console.error(problem);
console.log(`${Object.keys(texts).length} documents in ${REFERENCE}`);
process.exitCode = problems.length === 0 ? 0 : 1;
