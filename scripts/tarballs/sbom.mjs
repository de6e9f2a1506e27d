// The bill of materials of a release, CycloneDX 1.6: our packages with their digests, their production dependencies, and what is
// vendored. It has no time and no random number: one set of tarballs has one bill.
import { createHash } from "node:crypto";
import { runPnpm } from "./pack.mjs";

const purlOf = ({ name, version }) => `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;

const licenceOf = (license) => (/ /.test(license) ? { expression: license } : { license: { id: license } });

const ownComponent = ({ manifest, tarball: { sha256 } }) => ({
  type: "library",
  "bom-ref": purlOf(manifest),
  name: manifest.name,
  version: manifest.version,
  description: manifest.description,
  hashes: [{ alg: "SHA-256", content: sha256 }],
  licenses: [licenceOf(manifest.license)],
  purl: purlOf(manifest),
});

const vendoredComponent = ({ name, version, license, purl }) => ({
  type: "library",
  "bom-ref": `vendored:${name}@${version}`,
  name,
  version,
  licenses: [licenceOf(license)],
  purl,
  properties: [{ name: "vram:vendored", value: "true" }],
});

// pnpm lists what it found in another order each time.
const sorted = (records, key) => records.toSorted((a, b) => (a[key] < b[key] ? -1 : 1));
const inOrder = ({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.toSorted() });

/** A UUID of the bill's own content, of the version that RFC 9562 leaves to its users. */
function serialNumberOf(content) {
  const hex = createHash("sha256").update(content).digest("hex");
  const variant = ((Number.parseInt(hex[16], 16) & 3) | 8).toString(16);
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Third-party production dependencies of the packages named, and who needs whom, as pnpm reads them from the lock file. */
export function listDependencies(names) {
  const filters = names.flatMap((name) => ["--filter", name]);
  const args = ["sbom", "--prod", "--exclude-peers", "--sbom-format", "cyclonedx", "--sbom-spec-version", "1.6"];
  const bill = JSON.parse(runPnpm([...filters, ...args]));
  const components = bill.components.filter(({ name }) => !names.includes(name));
  if (components.length === 0) throw new Error("no dependency was found");
  return { components, dependencies: bill.dependencies };
}

/** `packages` are `{ manifest, tarball }` of published packages, `facade` the name of the one that the bill is about. */
export function makeSbom({ packages, facade, dependencies: found, vendored }) {
  const own = packages.map(ownComponent);
  const components = [...own.filter(({ name }) => name !== facade), ...found.components, ...vendored.map(vendoredComponent)];
  const known = new Map([...own, ...found.components].map((component) => [component.name, component["bom-ref"]]));
  const holds = (name) => vendored.filter(({ users }) => users.includes(name)).map(({ name: part, version }) => `vendored:${part}@${version}`);
  const asked = ({ dependencies = {} }) => Object.keys(dependencies).map((other) => known.get(other));
  const bill = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: own.find(({ name }) => name === facade) },
    components: sorted(components, "bom-ref"),
    dependencies: sorted(
      [
        ...packages.map(({ manifest }) => ({ ref: purlOf(manifest), dependsOn: [...asked(manifest), ...holds(manifest.name)].sort() })),
        ...found.dependencies.filter(({ ref }) => found.components.some((component) => component["bom-ref"] === ref)).map(inOrder),
      ],
      "ref",
    ),
  };
  return { ...bill, serialNumber: serialNumberOf(JSON.stringify(bill)) };
}
