// The packages that a release publishes: those of the workspace that are not private.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const readManifest = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** Each as `{ name, folder, manifest }`, sorted by name. `root` is the repository's folder. */
export function publicPackages(root) {
  const found = readdirSync(join(root, "packages"))
    .sort()
    .map((name) => join(root, "packages", name))
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ folder, manifest }) => ({ name: manifest.name, folder, manifest }));
  if (found.length === 0) throw new Error("no public package");
  return found;
}
