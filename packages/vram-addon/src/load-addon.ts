import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { AddonError } from "./addon-error.js";
import type { AddonAttempt, AddonFailure } from "./addon-error.js";

const ABSENT = "absent";
const FOR_GLIBC = "made for glibc";

/** Where a package's addon is looked for. */
export interface Addon {
  readonly packageName: string;
  /** Ends with a slash. */
  readonly packageFolder: URL;
  readonly fileName: string;
  /** As in `process`, which is the default. */
  readonly platform?: string;
  readonly arch?: string;
  /** Whether the system's C library is glibc. Default: as Node.js reports it. */
  readonly hasGlibc?: boolean;
}

export interface LoadedAddon {
  readonly exports: unknown;
  /** The file that was loaded. */
  readonly path: string;
}

/**
 * Loads what was built here (`build/Release`) or, where that is not there, what was shipped (`prebuilds/PLATFORM-ARCH`).
 *
 * @throws AddonError with what was tried
 */
export function loadAddon(addon: Addon): LoadedAddon {
  const { packageName, packageFolder, fileName, platform = process.platform, arch = process.arch } = addon;
  const built = attempt(packageFolder, `build/Release/${fileName}`);
  if ("path" in built) return built;
  const attempts = [built];
  if (built.reason === ABSENT) {
    const shipped = attempt(packageFolder, `prebuilds/${platform}-${arch}/${fileName}`);
    if ("path" in shipped) return shipped;
    const isForOthers = shipped.reason !== ABSENT && !(addon.hasGlibc ?? runsWithGlibc());
    attempts.push(isForOthers ? { ...shipped, reason: FOR_GLIBC } : shipped);
  }
  throw notLoaded(packageName, `${platform}-${arch}`, attempts);
}

function attempt(packageFolder: URL, file: string): LoadedAddon | AddonAttempt {
  const path = fileURLToPath(new URL(file, packageFolder));
  if (!existsSync(path)) return { file, reason: ABSENT };
  try {
    return { exports: createRequire(packageFolder)(path) as unknown, path };
  } catch (cause) {
    return { file, reason: refusalOf(cause) };
  }
}

function runsWithGlibc(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
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
  if (attempts.some(({ reason }) => reason !== ABSENT && reason !== FOR_GLIBC)) return "refused";
  return platform.startsWith("linux-") ? "absent" : "platform";
}
