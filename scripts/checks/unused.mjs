import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./tree.mjs";

/** Files that nothing reaches, and dependencies that nothing uses or that no manifest names, as knip finds them. */
export function checkUnused() {
  const args = [join(root, "node_modules/knip/bin/knip.js"), "--no-progress", "--reporter", "compact", "--include", "files,dependencies,unlisted,unresolved"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  return status === 0 ? [] : `${stdout}${stderr}`.trim().split("\n");
}
