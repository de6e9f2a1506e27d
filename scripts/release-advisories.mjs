// Asks the registry which known vulnerabilities the packages' production dependencies have; any is a failure, and so is no answer.
// npm run release:advisories
import { spawnSync } from "node:child_process";
import { root } from "./checks/tree.mjs";
import { pnpmArguments } from "./pnpm.mjs";

const { status, stdout, stderr, error } = spawnSync("npx", pnpmArguments(["audit", "--prod"]), { cwd: root, encoding: "utf8" });
const output = `${error?.message ?? ""}${stdout}${stderr}`.trim();
if (/AUDIT_(BAD_RESPONSE|ENDPOINT_NOT_EXISTS)/.test(output)) {
  console.error("The registry in force has no advisory endpoint, so nothing is known: ask one that has it, before a release.");
}
if (output !== "") console.log(output);
process.exitCode = status === 0 ? 0 : 1;
