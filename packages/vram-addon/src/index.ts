export { AddonError } from "./addon-error.js";
export { loadAddon } from "./load-addon.js";
export { buildAddon, buildCommand } from "./build-addon.js";
export type { AddonAttempt, AddonFailure } from "./addon-error.js";
export type { Addon, LoadedAddon } from "./load-addon.js";
export type { AddonBuild } from "./build-addon.js";
