// Publishes the tarballs of a folder with provenance: in the release workflow's job alone, and only what an earlier job has checked.
// node scripts/release/publish.mjs FOLDER, or --digest FOLDER to print the digest that such a check hands on
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { differing, publishTarballs, tarballsOf } from "./publish-tarballs.mjs";
import { step } from "./workplace.mjs";

const WORKFLOW = "/.github/workflows/release.yml@refs/heads/main";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Why these tarballs may not be published from here. `sums` is the text of their SHA256SUMS. */
export function releaseProblems(env, tarballs, sums) {
  const listed = tarballs.map(({ file, sha256: digest }) => `${digest}  ${basename(file)}\n`).sort().join("");
  return [
    ...(env.GITHUB_ACTIONS === "true" && env.GITHUB_WORKFLOW_REF?.endsWith(WORKFLOW) === true ? [] : ["this is not the release workflow on main"]),
    ...(env.ACTIONS_ID_TOKEN_REQUEST_URL ? [] : ["this job has no identity to publish with"]),
    ...(env.VRAM_CHECKED_DIGEST === sha256(sums) ? [] : ["these are not the tarballs that were checked"]),
    ...(sums.split(/(?<=\n)/).sort().join("") === listed ? [] : ["SHA256SUMS is not of these tarballs"]),
    ...tarballs.filter(({ version }) => version === "0.0.0").map(({ name }) => `${name} has no version yet`),
  ];
}

async function main([option, given = option]) {
  if (given === undefined) throw new Error("name the folder of the tarballs");
  const folder = resolve(given);
  const sums = readFileSync(join(folder, "SHA256SUMS"), "utf8");
  if (option === "--digest") return console.log(`digest=${sha256(sums)}`);
  const tarballs = tarballsOf(folder);
  const problems = releaseProblems(process.env, tarballs, sums);
  if (problems.length > 0) throw new Error(`nothing was published: ${problems.join("; ")}`);
  const registry = (await step("npm", ["config", "get", "registry"])).trim();
  const different = await differing(tarballs, registry);
  const missing = tarballs.filter(({ name }) => different.includes(name));
  await publishTarballs(missing, { cwd: folder, env: process.env, options: ["--provenance"] });
  console.log(`published ${missing.map(({ name, version }) => `${name}@${version}`).join(" ")}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
