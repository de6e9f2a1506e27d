// A copy of the checkout as it is now, new files included, whose versions may be raised.
import { cpSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { projectFiles, root } from "../checks/tree.mjs";
import { step } from "./workplace.mjs";

/** Clones the repository to `folder`, and brings the files there to the state of the checkout. */
export async function copyCheckout(folder) {
  await step("git", ["clone", "--quiet", root, folder]);
  const tracked = (await step("git", ["ls-files", "-z"], { cwd: folder })).split("\0").filter((file) => file !== "");
  for (const file of tracked) if (!existsSync(join(root, file))) rmSync(join(folder, file));
  for (const file of projectFiles(/./)) cpSync(join(root, file), join(folder, file));
}

/** Raises the versions as the changesets say, and packs: build, prebuilt binaries, tarballs and their checks. */
export async function versionAndPack(folder, tarballs) {
  await step(process.execPath, [join(root, "node_modules/@changesets/cli/bin.js"), "version"], { cwd: folder });
  return step(process.execPath, ["scripts/run.mjs", "tarballs", tarballs], { cwd: folder });
}
