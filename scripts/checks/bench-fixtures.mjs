// What the regression test of `npm run bench -- --compare` must find, and what it must let pass.
import { baselineOf, baselineProblems, regressions } from "../bench/compare.mjs";
import { rowOf } from "../bench/rows.mjs";

const samples = (...seconds) => ({ bytes: 1e9, samples: seconds.map((each) => ({ seconds: each })) });
const figures = new Map(
  Object.entries({
    digest: samples(0.2, 0.2, 0.21),
    createHash: samples(0.6, 0.6, 0.6),
    "busy peer": samples(0.2, 0.6, 1),
    b3sum: { absent: "b3sum is absent", samples: [] },
  }),
);
const SPECS = [
  { id: "steady", own: "digest", peer: "createHash", must: 2.5, aim: 2.9 },
  { id: "noisy", own: "digest", peer: "busy peer" },
  { id: "absent", own: "digest", peer: "b3sum", must: 1, aim: 2 },
  { id: "level", own: "digest", unit: "GB/s", must: 6, aim: 7 },
];
const report = { quick: false, rows: SPECS.map((spec) => rowOf(spec, figures)) };
const changed = (factor) => ({ ...report, rows: report.rows.map((row) => ({ ...row, median: row.median && row.median * factor })) });

export function checkBenchFixtures() {
  const { entry, noisy } = baselineOf(report);
  const compare = (run) => regressions(run, entry).length;
  const asked = (baseline, quick = false) => baselineProblems(baseline, { machineClass: "avx512", quick }).length;
  const expected = {
    "a row's verdict": [report.rows.map(({ verdict }) => verdict).join(), "aim met,reported,not judged: b3sum is absent,MUST MISSED"],
    "what a baseline holds": [JSON.stringify(entry.rows), JSON.stringify({ steady: { ratio: 3, noise: 0.1 } })],
    "what is too noisy for it": [noisy.join(), "noisy"],
    "an unchanged ratio": [compare(report), 0],
    "a ratio that fell by less than its noise": [compare(changed(0.91)), 0],
    "a halved ratio": [compare(changed(0.5)), 1],
    "a missing row": [compare({ ...report, rows: report.rows.slice(1) }), 1],
    "an absent row": [compare({ ...report, rows: [{ ...report.rows[0], median: undefined }] }), 1],
    "a known class": [asked({ avx512: entry }), 0],
    "an unknown class": [asked({ "sha-ni": entry }), 1],
    "another size": [asked({ avx512: entry }, true), 1],
    "an empty baseline": [asked({ avx512: { ...entry, rows: {} } }), 1],
  };
  return Object.entries(expected)
    .filter(([, [found, wanted]]) => found !== wanted)
    .map(([name, [found, wanted]]) => `${name}: ${found}, not ${wanted}`);
}
