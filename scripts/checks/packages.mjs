// Who may import whom, as docs/design/architecture.md draws it.

export const FACADE = "vram-residency";
/** Loaded by `import()` in the facade when it is named, and an optional peer of it. */
export const SIMULATOR = "vram-simulator";
/** Bundled into what imports them, so that no published package depends on one. */
export const BUNDLED = ["vram-addon", "vram-text"];

const LEAVES = ["vram-audit", "vram-cuda", "vram-policy", "vram-seal"];

/** Which workspace packages the production code of a package may import. Type-only imports count too. */
export const IMPORTS = {
  ...Object.fromEntries([...LEAVES, SIMULATOR].map((leaf) => [leaf, BUNDLED])),
  ...Object.fromEntries(BUNDLED.map((bundled) => [bundled, []])),
  [FACADE]: [...LEAVES, ...BUNDLED],
};

/** Which workspace packages a published package may ask its user's package manager for. */
export const DEPENDENCIES = { ...Object.fromEntries(Object.keys(IMPORTS).map((name) => [name, []])), [FACADE]: LEAVES };

/** What npm runs when somebody installs a package, from a registry or from a repository. */
export const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"];

/** Records with a `name`, that of the facade last: what it needs comes before it. */
export const facadeLast = (records) => [...records.filter(({ name }) => name !== FACADE), ...records.filter(({ name }) => name === FACADE)];
