// How much a user fetches with the facade.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const PACKAGES = 15;
const DOWNLOAD_BYTES = 3_000_000;

function bytesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Of an app into which npm installed the facade alone: `{ packages, downloadBytes, installedBytes }`. */
export async function facadeSize(app) {
  const { packages } = JSON.parse(readFileSync(join(app, "package-lock.json"), "utf8"));
  const resolved = Object.entries(packages).filter(([path]) => path !== "").map(([, { resolved: url }]) => url);
  let downloadBytes = 0;
  for (const url of resolved) downloadBytes += (await (await fetch(url)).arrayBuffer()).byteLength;
  return { packages: resolved.length, downloadBytes, installedBytes: bytesUnder(join(app, "node_modules")) };
}

/** What is wrong with that size. */
export const sizeProblems = ({ packages, downloadBytes }) => [
  ...(packages < PACKAGES ? [] : [`the facade comes with ${packages} packages, not under ${PACKAGES}`]),
  ...(downloadBytes < DOWNLOAD_BYTES ? [] : [`the facade's download has ${downloadBytes} bytes, not under ${DOWNLOAD_BYTES}`]),
];
