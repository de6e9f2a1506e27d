// Packs every public package into a folder, with a bill of materials and the digests, and checks what would be published.
// npm run tarballs -- FOLDER
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { FACADE } from "./checks/packages.mjs";
import { licenceProblems, listLicences } from "./tarballs/licences.mjs";
import { packPublic } from "./tarballs/pack.mjs";
import { listDependencies, makeSbom } from "./tarballs/sbom.mjs";
import { readPacked, tarballProblems } from "./tarballs/tarball-problems.mjs";
import { vendored } from "./tarballs/vendored.mjs";

const kilobytes = (byteLength) => `${(byteLength / 1000).toFixed(1)} kB`;

function row({ name, tarball: { entries, byteLength, sha256 } }) {
  const unpacked = entries.reduce((sum, { content }) => sum + content.length, 0);
  const columns = [name.padEnd(15), `${entries.length} files`.padStart(10), kilobytes(byteLength).padStart(10), kilobytes(unpacked).padStart(11)];
  return `${columns.join("  ")}  ${sha256}`;
}

function writeBeside(folder, packages) {
  const names = packages.map(({ name }) => name);
  const bill = makeSbom({ packages, facade: FACADE, dependencies: listDependencies(names), vendored: vendored() });
  writeFileSync(join(folder, "sbom.cdx.json"), `${JSON.stringify(bill, undefined, 2)}\n`);
  writeFileSync(join(folder, "SHA256SUMS"), packages.map(({ file, tarball }) => `${tarball.sha256}  ${basename(file)}\n`).join(""));
}

async function main([given]) {
  if (given === undefined) throw new Error("name a folder for the tarballs: npm run tarballs -- FOLDER");
  const folder = resolve(process.env.INIT_CWD ?? process.cwd(), given);
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new Error("the folder is not empty");
  mkdirSync(folder, { recursive: true });
  const packages = packPublic(folder).map(({ name, tarball }) => readPacked(name, tarball));
  const problems = [...(await tarballProblems(packages)), ...licenceProblems(listLicences(packages.map(({ name }) => name)))];
  writeBeside(folder, packages);
  for (const each of packages) console.log(row(each));
  for (const problem of problems) console.error(problem);
  return problems.length === 0;
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
