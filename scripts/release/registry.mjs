// A registry on this machine: it takes our packages, and fetches everything else from where the user's npm would.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "./workplace.mjs";

const READY_MS = 60_000;

/** Ours have no uplink: what is installed is what was published here. */
const configuration = (uplink, names) => ({
  storage: "./storage",
  uplinks: { uplink: { url: uplink, max_fails: 10, timeout: "60s" } },
  packages: {
    ...Object.fromEntries(names.map((name) => [name, { access: "$all", publish: "$all" }])),
    "**": { access: "$all", proxy: "uplink" },
  },
  log: { type: "stdout", level: "warn" },
});

/** Starts verdaccio in `folder` on `port`. `uplink` is a registry's URL, `names` are our packages; `tools` has the programs. */
export async function startRegistry({ folder, port, uplink, names, tools }) {
  mkdirSync(folder, { recursive: true });
  // JSON is YAML.
  writeFileSync(join(folder, "config.yaml"), JSON.stringify(configuration(uplink, names)));
  const program = join(tools, "node_modules/verdaccio/bin/verdaccio");
  const child = start(process.execPath, [program, "--listen", `127.0.0.1:${port}`, "--config", "config.yaml"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  for (const endMs = Date.now() + READY_MS; Date.now() < endMs; await sleep(200)) {
    if (child.exitCode !== null) break;
    const answer = await fetch(`http://127.0.0.1:${port}/-/ping`).catch(() => undefined);
    if (answer?.ok === true) return;
  }
  throw new Error(`the registry does not answer\n${output}`);
}
