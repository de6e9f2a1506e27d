// Rows of the report. A ratio says how many times as fast as its peer something is: the peer's seconds by its own, round by
// round. A level is a figure in a unit. A row that cannot be had says why.
import { summarize } from "./statistics.mjs";

const UNITS = {
  "GB/s": { isLowerBetter: false, of: (seconds, bytes) => bytes / seconds / 1e9 },
  "MB/s": { isLowerBetter: false, of: (seconds, bytes) => bytes / seconds / 1e6 },
  ms: { isLowerBetter: true, of: (seconds) => seconds * 1e3 },
  µs: { isLowerBetter: true, of: (seconds) => seconds * 1e6 },
};

function verdictOn(value, { unit, must, aim, unjudged }) {
  if (must === undefined) return "reported";
  if (unjudged !== undefined) return `not judged: ${unjudged}`;
  const meets = (limit) => (UNITS[unit]?.isLowerBetter ? value <= limit : value >= limit);
  if (meets(aim)) return "aim met";
  return meets(must) ? "must met" : "MUST MISSED";
}

function samplesOf({ own, peer, unit, of = "seconds" }, figures) {
  const seconds = (id) => figures.get(id).samples.map((sample) => sample[of]);
  if (peer === undefined) return seconds(own).map((each) => UNITS[unit].of(each, figures.get(own).bytes));
  const ofPeer = seconds(peer);
  return seconds(own).map((each, round) => ofPeer[round] / each);
}

/**
 * Answers a row's samples, median, spread and verdict. `spec` names the subjects: `own` and, for a ratio, `peer`; `of` is the
 * samples' field that counts; `absent` and `unjudged` are reasons.
 */
export function rowOf(spec, figures) {
  const { id, peer, backend, must, aim } = spec;
  const row = { id, backend, unit: peer === undefined ? spec.unit : "x", must, aim };
  const absent = spec.absent ?? figures.get(spec.own).absent ?? figures.get(peer)?.absent;
  if (absent !== undefined) return { ...row, verdict: must === undefined || spec.absent !== undefined ? absent : `not judged: ${absent}` };
  const samples = samplesOf(spec, figures);
  const { median, spread } = summarize(samples);
  return { ...row, median, spread, verdict: verdictOn(median, { ...spec, unit: row.unit }), samples };
}

/** The subjects that a row is made of. */
export const subjectsOf = ({ own, peer, absent }) => (absent === undefined ? [own, peer].filter((id) => id !== undefined) : []);
