// The direction of TypeScript imports and of dependencies: leaves import no sibling, the facade imports leaves.
import { dirname, join } from "node:path/posix";
import ts from "typescript";
import { BUNDLED, DEPENDENCIES, FACADE, IMPORTS, INSTALL_SCRIPTS, SIMULATOR } from "./packages.mjs";
import { projectFiles, read } from "./tree.mjs";

/** Every module a file names, as the compiler reads it; `lazy` where `import()` loads or only a type mentions it. */
function importsOf(file, text) {
  const found = [];
  const visit = (node) => {
    const fixed = node.moduleSpecifier ?? (ts.isExternalModuleReference(node) ? node.expression : undefined);
    if (fixed !== undefined) found.push({ specifier: fixed.text, lazy: false });
    if (ts.isImportTypeNode(node)) found.push({ specifier: node.argument.literal?.text, lazy: true });
    if (ts.isCallExpression(node)) {
      const [argument] = node.arguments;
      const lazy = node.expression.kind === ts.SyntaxKind.ImportKeyword;
      const named = argument !== undefined && ts.isStringLiteralLike(argument);
      if (lazy || (named && /require/i.test(node.expression.getText()))) found.push({ specifier: named ? argument.text : undefined, lazy });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

/** What is wrong with one production file's imports. */
export function importProblems(file, text) {
  const [, from] = /^packages\/([^/]+)\//.exec(file);
  if (!Object.hasOwn(IMPORTS, from)) return [`${file}: no rule for the package ${from}`];
  return importsOf(file, text).flatMap(({ specifier, lazy }) => {
    if (specifier === undefined) return [`${file}: imports a computed name`];
    if (specifier.startsWith(".")) {
      return join(dirname(file), specifier).startsWith(`packages/${from}/`) ? [] : [`${file}: ${specifier} leaves the package`];
    }
    const target = specifier.split("/")[0];
    if (!Object.hasOwn(IMPORTS, target) || target === from || IMPORTS[from].includes(target)) return [];
    return lazy && from === FACADE && target === SIMULATOR ? [] : [`${file}: ${from} must not import ${specifier}`];
  });
}

/** What is wrong with the dependencies that a package's users would install, and with what that would run. */
export function manifestProblems({ name, scripts = {}, dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }) {
  const foreign = (from) => Object.keys(from).filter((other) => Object.hasOwn(IMPORTS, other));
  const asked = [...foreign(dependencies), ...foreign(optionalDependencies)];
  const peers = foreign(peerDependencies);
  return [
    ...(Object.hasOwn(IMPORTS, name) ? [] : [`${name}: no rule for this package`]),
    ...asked.filter((other) => !DEPENDENCIES[name]?.includes(other)).map((other) => `${name} must not depend on ${other}`),
    ...peers.filter((other) => name !== FACADE || other !== SIMULATOR).map((other) => `${name} must not have the peer ${other}`),
    ...peers.filter((other) => peerDependenciesMeta[other]?.optional !== true).map((other) => `${name}: the peer ${other} is not optional`),
    ...INSTALL_SCRIPTS.filter((script) => Object.hasOwn(scripts, script)).map((script) => `${name} must run nothing at installation: ${script}`),
  ];
}

/** Tests may import what they need. */
export function checkImports() {
  const files = projectFiles(/^packages\/[^/]+\/src\/.*\.[cm]?tsx?$/).filter((file) => !/\.test\.[cm]?tsx?$/.test(file));
  const unseen = Object.keys(IMPORTS).filter((name) => !files.some((file) => file.startsWith(`packages/${name}/`)));
  return [...unseen.map((name) => `${name}: no source found`), ...files.flatMap((file) => importProblems(file, read(file)))];
}

export function checkManifests() {
  const manifests = projectFiles(/^packages\/[^/]+\/package\.json$/).map((file) => JSON.parse(read(file)));
  const open = manifests.filter(({ name, private: hidden }) => BUNDLED.includes(name) && hidden !== true);
  return [...open.map(({ name }) => `${name} is not private`), ...manifests.flatMap(manifestProblems)];
}
