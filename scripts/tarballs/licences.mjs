// The licences of what a user's package manager fetches for us.
import { runPnpm } from "./pack.mjs";

/** SPDX identifiers that Apache-2.0 software may depend on without a further condition on its users. */
const ALLOWED = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"]);

/** What is wrong with licences as `pnpm licenses list --json` prints them. */
export function licenceProblems(listed) {
  return Object.entries(listed)
    .filter(([licence]) => !ALLOWED.has(licence))
    .flatMap(([licence, packages]) => packages.map(({ name, versions }) => `${name}@${versions.join(", ")} has the license ${licence}`));
}

/** Production dependencies of the packages named, and peers that the workspace has installed for them. */
export function listLicences(names) {
  const filters = names.flatMap((name) => ["--filter", name]);
  const listed = JSON.parse(runPnpm([...filters, "licenses", "list", "--prod", "--json"]));
  if (Object.keys(listed).length === 0) throw new Error("no dependency was found");
  return listed;
}
