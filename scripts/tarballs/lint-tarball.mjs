// What publint and attw find in a tarball: entry points that a user's module system or TypeScript would not get.
import { readFileSync } from "node:fs";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { manifestOf } from "./read-tarball.mjs";

/** Node 10 knows no `exports`, so that it cannot find a subpath; our engines begin at 20. */
const OLD_RESOLUTION = "node10";

const attwProblems = ({ problems = [] }) =>
  problems
    .filter(({ resolutionKind }) => resolutionKind !== OLD_RESOLUTION)
    .map(({ kind, entrypoint = "", resolutionKind = "" }) => `attw: ${kind} ${entrypoint} ${resolutionKind}`.trimEnd());

/** `file` is the tarball's path, `tarball` what `readTarball` read of it. */
export async function lintProblems(file, tarball) {
  const bytes = readFileSync(file);
  const manifest = manifestOf(tarball);
  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, level: "warning", strict: true });
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(bytes)));
  if (!analysis.types) return [`${manifest.name}: attw finds no types`];
  return [...messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`), ...attwProblems(analysis)].map(
    (problem) => `${manifest.name}: ${problem}`,
  );
}
