// A package whose shipped files changed is named by a changeset: what users get has a version and a line in a changelog.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { publicPackages } from "../tarballs/public-packages.mjs";
import { buildInputs, isOf } from "./build-inputs.mjs";
import { BUNDLED } from "./packages.mjs";
import { root } from "./tree.mjs";

const CHANGESET = /^\.changeset\/(?!README)[\w-]+\.md$/;
const SHIPPED = /^packages\/([^/]+)\/(?:src\/(?!.*\.test\.)|include\/|CMakeLists\.txt$|package\.json$|README\.md$)/;
/** What every build takes, and what the prebuilt addons take besides their sources. */
const EVERY_BUILD = ["LICENSE", "tsup.base.mjs"];
const PREBUILT = ["native/floor/**", "scripts/prebuilds/toolchain.mjs"];
const RELEASED = "packages/*/CHANGELOG.md";
const NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const listed = (text) => text.split("\0").filter((file) => file !== "");

/** The packages that a changeset's text names. */
export const namedBy = (text) => Object.keys(parse(/^---\n(.*?)^---/ms.exec(text)?.[1] ?? "") ?? {});

/**
 * Which packages changed and are named by no new changeset. `packages` are `{ name, bundles, inputs, released }`: packages that its
 * build bundles, files elsewhere that it is compiled from, and whether its version was raised. `changed` are paths, `named` names.
 */
export function changesetProblems(packages, changed, named) {
  const changedFolders = new Set(changed.map((file) => SHIPPED.exec(file)?.[1]));
  return packages
    .filter(({ name, released }) => !released && !named.includes(name))
    .filter(
      ({ name, bundles, inputs }) =>
        [name, ...bundles].some((folder) => changedFolders.has(folder)) || changed.some((file) => inputs.some((input) => isOf(file, input))),
    )
    .map(({ name }) => `${name} changed, and no new changeset names it: npx changeset`);
}

/** The commit that the branch began at; where no remote branch is known, the last commit, so that only what is not committed is judged. */
function branchBase() {
  const branch = `origin/${process.env.GITHUB_BASE_REF || "main"}`;
  try {
    return git("merge-base", "HEAD", branch).trim();
  } catch {
    return "HEAD";
  }
}

/** The commit of the last release, or git's empty tree where there was none. */
const lastRelease = () => git("log", "-1", "--format=%H", "--", RELEASED).trim() || NOTHING;

/** The version that a package had, or undefined where it was not there. */
function versionAt(base, name) {
  try {
    return JSON.parse(git("show", `${base}:packages/${name}/package.json`)).version;
  } catch {
    return undefined;
  }
}

/** The files outside of a package that its addon is compiled from. */
function inputsOf(folder) {
  const inputs = buildInputs(folder);
  return inputs.length === 0 ? [] : [...inputs, ...PREBUILT];
}

/** What is wrong since the branch began; where it has no commit, also since the last release: with what is committed, changed or new. */
export function checkChangesets() {
  const base = branchBase();
  const isOfMain = git("rev-parse", "HEAD").trim() === git("rev-parse", base).trim();
  return [...changesetProblemsSince(base), ...(isOfMain ? changesetProblemsSince(lastRelease()) : [])];
}

/** What is wrong since a commit. */
export function changesetProblemsSince(base) {
  const packages = publicPackages(root).map(({ name, folder, manifest }) => ({
    name,
    bundles: BUNDLED.filter((other) => other in (manifest.devDependencies ?? {})),
    inputs: [...EVERY_BUILD, ...inputsOf(folder)],
    released: ![undefined, manifest.version].includes(versionAt(base, name)),
  }));
  const untracked = listed(git("ls-files", "--others", "--exclude-standard", "-z"));
  const added = [...listed(git("diff", "--name-only", "--diff-filter=A", "-z", base)), ...untracked].filter((file) => CHANGESET.test(file));
  const changed = [...listed(git("diff", "--name-only", "--no-renames", "-z", base)), ...untracked].filter((file) => !/\/test\//.test(file));
  return changesetProblems(packages, changed, added.flatMap((file) => namedBy(readFileSync(join(root, file), "utf8"))));
}
