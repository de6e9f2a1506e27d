// Which tests prove which requirement, and what is missing.
import { beginsWithId, idsIn, namesIn } from "./requirements.mjs";

/** Where each vector and each requirement must have a test: the files of the contract, and the checks of the code itself. */
const isContract = ({ runner, file = "" }) => runner === "checks" || file.includes("/test/requirements/");

/** Answers `{ rows, problems }`: a row is `{ kind, group, id, mechanism, names, tests, ok }`, its tests those that carry the id. */
export function judge({ items, names, scenarios, properties, aliases }, tests) {
  const known = new Set([...items.map(({ id }) => id), ...Object.keys(aliases)]);
  const carried = (id) => [id, ...Object.keys(aliases).filter((alias) => aliases[alias].includes(id))];
  const rows = [
    ...items.map(({ kind, group, id, holds, mechanism, tests: wanted }) => {
      const own = tests.filter(({ title }) => idsIn(title).some((each) => carried(id).includes(each)));
      const problems = [
        ...(kind === "functional" || own.some(isContract) ? [] : [`${id} has no test in test/requirements`]),
        ...(own.length === 0 ? [`${id} has no test`] : []),
        ...wanted.filter((name) => !own.some(({ title }) => namesIn(title).includes(name))).map((name) => `${id} has no test named ${name}`),
      ];
      return row({ kind, group, id, holds, mechanism, names: wanted }, own, problems);
    }),
    ...names.map((name) => {
      const own = tests.filter(({ title }) => namesIn(title).includes(name));
      return row({ kind: "names", group: "Named tests", id: name }, own, own.length === 0 ? [`no test is named ${name}`] : []);
    }),
    ...scenarios.map((scenario) => {
      const own = tests.filter(({ title, file = "" }) => file.endsWith(".feature") && title.includes(scenario));
      return row({ kind: "scenarios", group: "Behaviour scenarios", id: scenario }, own, own.length === 0 ? [`no scenario is "${scenario}"`] : []);
    }),
    ...properties.map((property) => {
      const own = tests.filter(({ title }) => title.split(/\s+/).includes(property));
      return row({ kind: "properties", group: "Properties", id: property }, own, own.length === 0 ? [`no test is named ${property}`] : []);
    }),
  ];
  const strangers = tests.flatMap(({ title }) => [
    ...idsIn(title).filter((id) => !known.has(id)).map((id) => `unknown requirement ${id}: ${title}`),
    ...namesIn(title).filter((name) => !names.includes(name)).map((name) => `unknown named test ${name}: ${title}`),
  ]);
  const nameless = tests.filter(({ file = "", own = "" }) => file.includes("/test/requirements/") && !beginsWithId(own));
  const problems = [
    ...rows.flatMap((each) => each.problems),
    ...strangers,
    ...nameless.map(({ title }) => `does not begin with a requirement: ${title}`),
    ...tests.filter(({ status }) => status !== "passed").map(({ title, status }) => `${status}: ${title}`),
  ];
  return { rows, problems: [...new Set(problems)] };
}

function row(facts, tests, problems) {
  return { mechanism: [], names: [], ...facts, tests, problems, ok: problems.length === 0 && tests.every(({ status }) => status === "passed") };
}
