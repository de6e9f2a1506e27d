import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { AddonError } from "./addon-error.js";
import type { AddonAttempt, AddonFailure } from "./addon-error.js";

/** Where a package's addon is looked for. */
export interface Addon {
  readonly packageName: string;
  /** Ends with a slash. */
  readonly packageFolder: URL;
  readonly fileName: string;
  /** As in `process`, which is the default. */
  readonly platform?: string;
  readonly arch?: string;
}

export interface LoadedAddon {
  readonly exports: unknown;
  /** The file that was loaded. */
  readonly path: string;
}

/**
 * Loads what was built here (`build/Release`) or, where that is not there or does not load, what was shipped
 * (`prebuilds/PLATFORM-ARCH`).
 *
 * @throws AddonError with what was tried
 */
export function loadAddon(addon: Addon): LoadedAddon {
  const { packageFolder, fileName, platform = process.platform, arch = process.arch } = addon;
  const attempts: AddonAttempt[] = [];
  for (const file of [`build/Release/${fileName}`, `prebuilds/${platform}-${arch}/${fileName}`]) {
    const path = fileURLToPath(new URL(file, packageFolder));
    if (existsSync(path)) {
      try {
        return { exports: createRequire(packageFolder)(path) as unknown, path };
      } catch (cause) {
        attempts.push({ file, reason: refusalOf(cause) });
      }
    } else {
      attempts.push({ file, reason: "absent" });
    }
  }
  throw notLoaded(addon.packageName, `${platform}-${arch}`, attempts);
}

/** What the system's loader wants and has not, or its error code: its messages have paths. */
function refusalOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "it threw no error";
  const version = /\b(?:GLIBC|GLIBCXX|CXXABI|GCC)_[0-9.]*[0-9]/.exec(cause.message)?.[0];
  const library = /(?:^|[\s"'])(lib[\w+.-]+\.so[0-9.]*): cannot open shared object/.exec(cause.message)?.[1];
  const missing = version ?? library;
  if (missing !== undefined) return `this system has no ${missing}`;
  return "code" in cause && typeof cause.code === "string" ? cause.code : "unknown error";
}

function notLoaded(packageName: string, platform: string, attempts: readonly AddonAttempt[]): AddonError {
  const failure = failureOf(platform, attempts);
  const tried = attempts.map(({ file, reason }) => `${file}: ${reason}`).join("; ");
  const remedies =
    failure === "platform"
      ? `It runs on Linux only, with x64 or arm64, and this is ${platform}.`
      : `Build it with \`npx --no ${packageName}-build\` (in a checkout \`npm run build\`), which needs a C++20 compiler and CMake 3.20 or newer; ` +
        "or use Linux on x64 or arm64 with glibc 2.28 or newer, for which the package ships it.";
  return new AddonError(failure, `The native addon of ${packageName} could not be loaded. Tried: ${tried}. ${remedies}`, attempts);
}

function failureOf(platform: string, attempts: readonly AddonAttempt[]): AddonFailure {
  if (attempts.some(({ reason }) => reason !== "absent")) return "refused";
  return platform.startsWith("linux-") ? "absent" : "platform";
}
