// The regression test: a run's ratios against those of a baseline, for one class of machines.

const LEAST_NOISE = 0.1;
/** With this much a ratio could halve unseen. */
const MOST_NOISE = 0.5;

const ratiosOf = ({ rows }) => rows.filter(({ unit, median }) => unit === "x" && median !== undefined);
const round = (value) => Number(value.toPrecision(4));

/** What a run becomes in the baseline: each ratio, and by which share a later one may be lower; and rows too noisy for it. */
export function baselineOf(report) {
  const entries = ratiosOf(report).map(({ id, median, spread }) => [id, { ratio: round(median), noise: round(Math.max(LEAST_NOISE, (3 * spread) / median)) }]);
  const [kept, noisy] = [true, false].map((isKept) => entries.filter(([, { noise }]) => noise < MOST_NOISE === isKept));
  return { entry: { quick: report.quick, rows: Object.fromEntries(kept) }, noisy: noisy.map(([id]) => id) };
}

/** Why a class of machines cannot be compared with a baseline, before anything is measured. */
export function baselineProblems(baseline, { machineClass, quick }) {
  const entry = baseline[machineClass];
  const remake = `make it with --write-baseline FILE${quick ? " --quick" : ""} on a quiet machine`;
  if (entry === undefined) return [`no baseline for machines of the class "${machineClass}": ${remake}`];
  if (entry.quick !== quick) return [`the baseline of the class "${machineClass}" was made ${entry.quick ? "with" : "without"} --quick: ${remake}`];
  return Object.keys(entry.rows ?? {}).length === 0 ? [`the baseline of the class "${machineClass}" is empty: ${remake}`] : [];
}

/** One line for each row that is slower than its noise explains, or missing. */
export function regressions(report, { rows }) {
  const found = new Map(ratiosOf(report).map((row) => [row.id, row]));
  return Object.entries(rows).flatMap(([id, { ratio, noise }]) => {
    const row = found.get(id);
    if (row === undefined) return [`${id}: missing from this run, ${ratio}x in the baseline`];
    if (row.median >= ratio * (1 - noise)) return [];
    return [`${id}: ${round(row.median)}x, in the baseline ${ratio}x with a noise of ${Math.round(noise * 100)} %`];
  });
}
