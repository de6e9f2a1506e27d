import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { dirname } from "node:path/posix";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** The project's own files (tracked, and new ones that git does not ignore), as paths from its root. */
export function projectFiles(pattern) {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
  });
  const files = listed.split("\0").filter((file) => pattern.test(file) && existsSync(join(root, file)));
  if (files.length === 0) throw new Error(`no file matches ${pattern}`);
  return files;
}

/** The folders that a file of the project lies in, from its own to the root, ".". */
export function foldersOf(file) {
  const folder = dirname(file);
  return folder === "." ? ["."] : [folder, ...foldersOf(folder)];
}

export const read = (file) => readFileSync(join(root, file), "utf8");
