// The one pnpm that the workspace is installed and packed with.
import { readFileSync } from "node:fs";

/** Its name and version, as npm takes them. */
export const { packageManager } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** The arguments of `npx` that run it. */
export const pnpmArguments = (args) => ["--yes", "--prefer-offline", packageManager, ...args];
