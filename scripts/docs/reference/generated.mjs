// The documents that are made from the code: as they are now, and whether those in the repository are the same.
import { projectFiles, read } from "../../checks/tree.mjs";
import { renderErrorCatalogue } from "./error-catalogue.mjs";
import { entryPoints, renderReference } from "./render.mjs";

export const REFERENCE = "docs/reference";

/** `{ texts, problems }`: the documents by name, and what is wrong with the comments that they are made of. */
export async function renderGenerated() {
  const reference = await renderReference({ entries: entryPoints(), tsconfig: "scripts/docs/tsconfig.json" });
  const errors = renderErrorCatalogue();
  return { texts: { ...reference.texts, "errors.md": errors.text }, problems: [...reference.problems, ...errors.problems] };
}

export async function generatedProblems() {
  const { texts, problems } = await renderGenerated();
  const there = projectFiles(/^docs\/reference\//);
  const files = Object.fromEntries(there.map((file) => [file.slice(REFERENCE.length + 1), read(file)]));
  return [...problems, ...differences(texts, files)];
}

/** What differs between documents as they are made and as they are there, both by name. */
export function differences(made, there) {
  const names = new Set([...Object.keys(made), ...Object.keys(there)]);
  return [...names]
    .filter((name) => made[name] !== there[name])
    .map((name) => `${REFERENCE}/${name} is not what the code says: run npm run docs:generate`);
}
