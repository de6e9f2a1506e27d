// The contract as data (docs/spec/requirements.json), and what test titles say about it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { read, root } from "../checks/tree.mjs";

const ID = /(?<![\w-])(?:(?:PL|SF|TT|BO|IO|PB|CD)-\d+|(?:MS|CI|VP|IV|RP)-\d+|WORKER-\d+)(?![\w-])/g;
const NAME = /(?<!\w)test_[a-z_]+(?!\w)/g;

export const idsIn = (title) => title.match(ID) ?? [];
export const namesIn = (title) => title.match(NAME) ?? [];
export const beginsWithId = (title) => title.search(ID) === 0;

/** How many there are of each: the specification's own numbers. */
const EXPECTED = { vectors: 33, requirements: 38, names: 48, scenarios: 8, properties: 3 };

/** `{ items, names, scenarios, properties, aliases, problems }`; an item is `{ kind, group, id, holds, mechanism, tests }`. */
export function readRequirements(text = read("docs/spec/requirements.json")) {
  const { surfaces, groups, functional, scenarios, properties, aliases } = JSON.parse(text);
  const items = [
    ...surfaces.flatMap(({ name, vectors }) => vectors.map((each) => ({ kind: "vectors", group: name, ...each }))),
    ...groups.flatMap(({ name, requirements }) => requirements.map((each) => ({ kind: "requirements", group: name, ...each }))),
    ...functional.map((each) => ({ kind: "functional", group: "Functional contract", ...each })),
  ];
  const names = [...new Set(items.flatMap(({ tests }) => tests))];
  const ids = items.map(({ id }) => id);
  const counts = {
    vectors: items.filter(({ kind }) => kind === "vectors").length,
    requirements: items.filter(({ kind }) => kind === "requirements").length,
    names: names.length,
    scenarios: scenarios.length,
    properties: properties.length,
  };
  const problems = [
    ...Object.entries(EXPECTED).filter(([what, count]) => counts[what] !== count).map(([what, count]) => `${counts[what]} ${what} instead of ${count}`),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id} is there twice`),
    ...items.flatMap(({ id, mechanism }) => (mechanism.length === 0 ? [`${id} has no mechanism`] : missing(id, mechanism))),
    ...Object.values(aliases).flat().filter((id) => !ids.includes(id)).map((id) => `an alias stands for ${id}, which is unknown`),
  ];
  return { items, names, scenarios, properties, aliases, problems };
}

const missing = (id, files) => files.filter((file) => !existsSync(join(root, file))).map((file) => `${id}: there is no ${file}`);
