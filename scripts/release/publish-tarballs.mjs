import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { facadeLast } from "../checks/packages.mjs";
import { manifestOf, readTarball } from "../tarballs/read-tarball.mjs";
import { step } from "./workplace.mjs";

/** The tarballs of a folder as `{ name, version, file, sha256 }`; the facade is last, so that what it needs is there before it. */
export function tarballsOf(folder) {
  const found = readdirSync(folder)
    .filter((fileName) => fileName.endsWith(".tgz"))
    .sort()
    .map((fileName) => {
      const file = join(folder, fileName);
      const tarball = readTarball(file);
      const { name, version } = manifestOf(tarball);
      return { name, version, file, sha256: tarball.sha256 };
    });
  if (found.length === 0) throw new Error("there is no tarball");
  return facadeLast(found);
}

/** Publishes these very files, with npm in `env`; `options` are further arguments. */
export async function publishTarballs(tarballs, { cwd, env, options }) {
  for (const { file } of tarballs) await step("npm", ["publish", file, "--access", "public", ...options], { cwd, env });
}

/** The names of packages that `registry` has with other bytes than those of the tarballs, or not at all. */
export async function differing(tarballs, registry) {
  const different = [];
  for (const { name, version, file } of tarballs) {
    const answer = await fetch(new URL(name, registry));
    const { versions = {} } = answer.ok ? await answer.json() : {};
    const integrity = `sha512-${createHash("sha512").update(readFileSync(file)).digest("base64")}`;
    if (versions[version]?.dist.integrity !== integrity) different.push(name);
  }
  return different;
}
