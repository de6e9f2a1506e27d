// Rehearses a release on this machine: versions, builds, packs twice, publishes to a registry on loopback, installs from there as
// strangers do, and prints one table. Refuses to begin where npm or pnpm would publish anywhere else.
// npm run release:rehearse
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./checks/tree.mjs";
import { freePorts } from "./free-ports.mjs";
import { askingEnvironment, findPnpm, publishingEnvironment, requireLoopback, userconfigFor } from "./release/loopback.mjs";
import { inWorkplace, step } from "./release/workplace.mjs";

async function main(work) {
  const pnpm = findPnpm();
  const [port] = await freePorts(1);
  const registry = `http://127.0.0.1:${port}/`;
  const [userconfig, globalconfig] = ["npmrc", "global-npmrc"].map((name) => join(work, name));
  writeFileSync(userconfig, userconfigFor(registry));
  writeFileSync(globalconfig, "");
  requireLoopback(root, askingEnvironment(registry, userconfig), pnpm);
  console.log("installs what the rehearsal needs");
  await step(pnpm, ["install", "--frozen-lockfile"], { cwd: root });
  // What this imports is there from here on.
  const { rehearse } = await import("./release/rehearsal.mjs");
  return rehearse(work, { registry, port, env: publishingEnvironment(registry, { userconfig, globalconfig }), pnpm });
}

try {
  process.exitCode = (await inWorkplace(main)) ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
