// Puts the contract tests into the packed packages: `node_modules/NAME/test` has what `packages/NAME/test` has, each file with
// what only tests need, so that a test finds the packed build where it finds the repository's.
import { cpSync, existsSync, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { quickpickle } from "quickpickle";
import { leftOut } from "./left-out.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(import.meta.url);
/** The one that the packages are built with. */
const esbuild = createRequire(require.resolve("tsup"))("esbuild");
const { dependencies } = require(join(dirname(require.resolve("vitest/package.json")), "package.json"));

const PACKED = ["vram-audit", "vram-cuda", "vram-policy", "vram-residency", "vram-seal", "vram-simulator", "engine-addon"];
const RUNNER = ["@vitest/runner", "@vitest/expect", "@vitest/spy"];
/** Files of the repository that tests and the probe read. */
const READ = ["native/driver/entry_points.inc", "native/kernel/fsverity.ptx", "native/kernel/fsverity_plain.ptx"];

/** What bundled tests import, as npm takes it. chai comes with the matchers. */
export const testDependencies = RUNNER.map((name) => `${name}@${dependencies[name]}`);

/** The tests' imports: their package is the packed one, and Vitest is what the bundle has of it. */
const imports = (name, folder) => ({
  name: "imports",
  setup({ onResolve }) {
    onResolve({ filter: /^vitest$/ }, () => ({ path: join(root, "scripts/gpu/vitest.mjs") }));
    onResolve({ filter: /\/src\/index\.js$/ }, ({ path, resolveDir }) =>
      join(resolveDir, path) === join(folder, "src/index.js") ? { path: name, external: true } : undefined,
    );
  },
});

/** A feature becomes what quickpickle makes of it, after the steps beside it. */
const features = {
  name: "features",
  setup({ onLoad }) {
    onLoad({ filter: /\.feature$/ }, async ({ path }) => {
      const folder = dirname(path);
      const plugin = quickpickle({ stepTimeout: 20_000, root });
      plugin.configResolved({});
      const steps = readdirSync(folder).filter((file) => file.endsWith(".steps.ts"));
      if (steps.length === 0) throw new Error(`${relative(root, path)} has no steps`);
      const code = await plugin.transform(readFileSync(path, "utf8"), path);
      return { contents: `${steps.map((file) => `import "./${file}";\n`).join("")}${code}`, resolveDir: folder };
    });
  },
};

async function bundle(name, app) {
  const folder = join(root, "packages", name);
  const all = readdirSync(join(folder, "test"), { recursive: true }).map((file) => join("test", file)).sort();
  const files = all.filter((file) => /\.(test\.ts|feature)$/.test(file) && !Object.hasOwn(leftOut, `${name}/${file}`));
  const out = join(app, "node_modules", name);
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: files.map((file) => join(folder, file)),
    ...{ outdir: out, outbase: folder, chunkNames: "test/chunk-[hash]", bundle: true, splitting: true },
    // What is CommonJS among the dependencies requires modules of Node.js.
    banner: { js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);' },
    // Names stay, and lines are short, for the sake of stack traces.
    ...{ minifyWhitespace: true, lineLimit: 120 },
    ...{ format: "esm", platform: "node", target: "node20", logLevel: "error", external: [...PACKED, "vram-simulator/*", ...RUNNER, "@vitest/*", "chai"] },
    plugins: [imports(name, folder), features],
  });
  for (const file of all.filter((each) => /\/programs\/[^/]+\.mjs$/.test(each))) cpSync(join(folder, file), join(out, file));
  return files.map((file) => ({ title: `${name}/${file}`, path: `node_modules/${name}/${file.replace(/\.(ts|feature)$/, ".js")}` }));
}

/** Answers `{ tests, leftOut }`, as the suite in the bundle reads it. */
export async function bundleTests(app) {
  const gone = Object.keys(leftOut).filter((file) => !existsSync(join(root, "packages", file)));
  if (gone.length > 0) throw new Error(`left out of the bundle, but not there: ${gone}`);
  for (const file of READ) cpSync(join(root, file), join(app, file));
  const tests = [...(await bundle("vram-cuda", app)), ...(await bundle("vram-residency", app))];
  return { tests, leftOut };
}
