// A rehearsal publishes, so it goes on only where nothing can reach a registry of the world.
import { tmpdir } from "node:os";
import { packageManager } from "../pnpm.mjs";
import { runProgram } from "../run-program.mjs";

const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** Whether a registry's URL names this machine, and nothing else: no user, no host that only begins so. */
export function isLoopback(text) {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  return (protocol === "http:" || protocol === "https:") && username === "" && password === "" && LOOPBACK.has(hostname);
}

/**
 * The environment in which the rehearsal asks what would be in force, with what the caller has set. npm takes the registry from the
 * variable; pnpm does not, and takes it from the user's configuration, the file `userconfig`.
 */
export const askingEnvironment = (registry, userconfig) => ({ ...process.env, npm_config_registry: registry, npm_config_userconfig: userconfig });

const FOREIGN_SETTING = /^(p?npm_config_|(https?_|all_|no_)?proxy$)/i;

/** The environment of a step that publishes to `registry` or installs from it: no setting of the caller's, and no proxy on the way. */
export function publishingEnvironment(registry, { userconfig, globalconfig }) {
  const kept = Object.entries(process.env).filter(([name]) => !FOREIGN_SETTING.test(name));
  const own = { npm_config_registry: registry, npm_config_userconfig: userconfig, npm_config_globalconfig: globalconfig, npm_config_noproxy: "127.0.0.1" };
  return { ...Object.fromEntries(kept), ...own };
}

/** What the user's configuration has to say, for a registry that takes any token. */
export const userconfigFor = (registry) => `registry=${registry}\n${registry.replace(/^https?:/, "")}:_authToken=rehearsal\n`;

const ask = (program, args, options) => runProgram(program, args, options).trim();

/** The program of the pinned pnpm, fetched as the user's own configuration says, not a project's. */
export const findPnpm = () =>
  ask("npx", ["--yes", "--prefer-offline", "--package", packageManager, "--", "sh", "-c", "command -v pnpm"], { cwd: tmpdir() });

/** @throws where npm or pnpm would publish from `folder` to a registry that is not on this machine, do not tell, or have a scope, whose registry npm prefers */
export function requireLoopback(folder, env, pnpm) {
  const foreign = Object.entries({ npm: "npm", pnpm }).filter(
    ([, program]) => !isLoopback(ask(program, ["config", "get", "registry"], { cwd: folder, env })),
  );
  if (foreign.length > 0) {
    const told = foreign.map(([name]) => `the registry in force for ${name} is not on this machine`).join(", and ");
    throw new Error(`${told}: nothing was published. Take it out of .npmrc, pnpm-workspace.yaml and the environment.`);
  }
  if (ask("npm", ["config", "get", "scope"], { cwd: folder, env }) !== "") throw new Error("npm has a scope, whose registry it prefers: nothing was published. Take `scope` out of its configuration.");
}
