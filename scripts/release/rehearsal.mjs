// What a rehearsal does once it is known that nothing leaves this machine.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FACADE } from "../checks/packages.mjs";
import { root } from "../checks/tree.mjs";
import { TARGETS, toolchainProblem } from "../prebuilds/toolchain.mjs";
import { copyCheckout, versionAndPack } from "./checkout.mjs";
import { installIn, tryAlone, tryFacade, userEnvironment } from "./consumers.mjs";
import { requireLoopback } from "./loopback.mjs";
import { differing, publishTarballs, tarballsOf } from "./publish-tarballs.mjs";
import { startRegistry } from "./registry.mjs";
import { facadeSize, sizeProblems } from "./size.mjs";
import { sbomProblems } from "./validate-sbom.mjs";
import { step } from "./workplace.mjs";

const tools = join(root, "scripts/release");
const NODES = ["node-20", "node-22", "node-24"];
const MANAGERS = ["npm", "pnpm"];

const say = (text) => console.log(text);
const same = (one, other, name) => readFileSync(join(one, name)).equals(readFileSync(join(other, name)));

/** Versions and packs in two copies of the checkout; answers the first one's folder of tarballs. */
async function packTwice(work) {
  const [first, second] = ["first", "second/copy"].map((name) => ({ checkout: join(work, name), tarballs: join(work, "tarballs", name) }));
  for (const { checkout, tarballs } of [first, second]) {
    say(`versions, builds and packs: ${checkout === first.checkout ? "first" : "second"} of two copies`);
    await copyCheckout(checkout);
    const table = await versionAndPack(checkout, tarballs);
    if (checkout === first.checkout) say(table.trimEnd());
  }
  for (const name of ["SHA256SUMS", "sbom.cdx.json"]) {
    if (!same(first.tarballs, second.tarballs, name)) throw new Error(`${name} differs between two builds in two folders`);
  }
  say("two builds in two folders gave the same bytes");
  return first.tarballs;
}

/** Says for which targets the addons are prebuilt. @throws where they are not for this machine, or a missing compiler is no excuse */
function reportTargets() {
  const missing = new Map(Object.keys(TARGETS).map((target) => [target, toolchainProblem(target)]).filter(([, problem]) => problem !== undefined));
  const here = missing.get(`linux-${process.arch}`);
  if (here !== undefined || (missing.size > 0 && process.env.VRAM_REQUIRE_TOOLS !== undefined)) throw new Error([...missing.values()].join("\n"));
  for (const problem of missing.values()) say(`LEFT OUT: ${problem}`);
  say(`addons are prebuilt for ${Object.keys(TARGETS).filter((target) => !missing.has(target)).join(" and ")}`);
}

async function publish(work, tarballs, { registry, env }) {
  await publishTarballs(tarballs, { cwd: work, env, options: ["--provenance=false"] });
  const different = await differing(tarballs, registry);
  if (different.length > 0) throw new Error(`the registry has other bytes of ${different.join(", ")}`);
  say(`published ${tarballs.map(({ name, version }) => `${name}@${version}`).join(" ")} on loopback`);
}

async function installEverywhere(work, names, { env, pnpm }) {
  const users = NODES.map((name) => {
    const node = join(tools, "node_modules", name, "bin/node");
    return { version: name.replace("node-", ""), env: userEnvironment(join(work, "bin", name), node, pnpm, env) };
  });
  const rows = [];
  for (const manager of MANAGERS) {
    for (const user of users) {
      const app = join(work, "apps", manager, user.version);
      await installIn(app, manager, names, user.env);
      rows.push(...(await tryFacade(app, manager, user.version, user.env)));
    }
    rows.push(...(await tryAlone(join(work, "alone", manager), manager, users[0].version, users[0].env)));
  }
  await reportSize(join(work, "alone/npm", FACADE));
  return rows;
}

/** `app` has the facade alone, installed by npm. */
async function reportSize(app) {
  const size = await facadeSize(app);
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
  say(`${FACADE} with its dependencies: ${size.packages} packages, download ${megabytes(size.downloadBytes)}, installed ${megabytes(size.installedBytes)}`);
  const problems = sizeProblems(size);
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

function printTable(rows) {
  say(`${"install".padEnd(8)}${"Node".padEnd(6)}${"modules".padEnd(9)}${"package".padEnd(22)}${"program".padEnd(9)}doctor`);
  for (const { manager, version, modules, what, problems } of rows) {
    const mark = (name) => (Object.hasOwn(problems, name) ? (problems[name] === undefined ? "ok" : "FAILED") : "-");
    say(`${manager.padEnd(8)}${version.padEnd(6)}${modules.padEnd(9)}${what.padEnd(22)}${mark("program").padEnd(9)}${mark("doctor")}`);
  }
  const problems = rows.flatMap(({ problems: found }) => Object.values(found)).filter((problem) => problem !== undefined);
  for (const problem of new Set(problems)) console.error(problem);
  return problems.length === 0;
}

/** `registry` is the loopback registry's address at `port`, `env` the environment that publishes there. Answers whether all worked. */
export async function rehearse(work, { registry, port, env, pnpm }) {
  reportTargets();
  await step("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--prefix", tools]);
  const uplink = (await step("npm", ["config", "get", "registry"])).trim();
  const folder = await packTwice(work);
  const problems = await sbomProblems(join(folder, "sbom.cdx.json"), tools);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const tarballs = tarballsOf(folder);
  const names = tarballs.map(({ name }) => name);
  await startRegistry({ folder: join(work, "registry"), port, uplink, names, tools });
  requireLoopback(work, env, pnpm);
  await publish(work, tarballs, { registry, env });
  return printTable(await installEverywhere(work, names, { env, pnpm }));
}
