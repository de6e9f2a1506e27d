// Every change at every kind of place: `{ title, changed, expected }`, where `changed` are the segments after it and `expected` the first line
// that is wrong then, with the reason.
import { createHash } from "node:crypto";

/** All changes of a closed log of at least four segments. */
export function casesOf(segments) {
  if (segments.length < 4 || segments.some(({ lines }) => lines.length < 2)) throw new Error("the log is too small");
  const log = numbered(segments);
  return [
    { title: "no change", changed: segments, expected: "nothing" },
    ...placesOf(log).flatMap(([place, number]) => lineCases(log, number).map((each) => ({ ...each, title: `${each.title} ${place}, ${number}` }))),
    ...[1, 2, segments.length - 1].flatMap((at) => segmentCases(log, at)),
    { title: "the first segment is removed", changed: segments.slice(1), expected: "1 removed" },
  ];
}

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const nameOf = (first) => `audit-v1.${String(first).padStart(16, "0")}.jsonl`;
const forged = (line) => line.replace('"time":"2', '"time":"1');
const half = (line) => line.slice(0, line.length >> 1);

function numbered(segments) {
  let first = 1;
  const firsts = segments.map(({ lines }) => (first += lines.length) - lines.length);
  return { segments, firsts, last: first - 1 };
}

function placesOf({ segments, firsts, last }) {
  const middle = segments.length >> 1;
  return [
    ...[["the first line", 1], ["the second line", 2], ["the last line but one", last - 1], ["the last line", last]],
    ...[["a segment's first line", firsts[middle]], ["the line behind it", firsts[middle] + 1]],
    ...[["a line in the middle", firsts[middle] + (segments[middle].lines.length >> 1)]],
    ...[["a segment's last line", firsts[middle] - 1], ["the line before it", firsts[middle] - 2]],
    ...[["the first segment's last line", firsts[1] - 1], ["the last segment's first line", firsts.at(-1)]],
  ];
}

/** What becomes of a log when one line, or what follows it, is changed. */
function lineCases({ segments, firsts, last }, number) {
  const at = firsts.findLastIndex((first) => first <= number);
  const { lines } = segments[at];
  const index = number - firsts[at];
  const line = lines[index];
  const isHeader = index === 0 && at > 0;
  const endsSegment = index === lines.length - 1 && number < last;
  const withLines = (changed) => segments.with(at, { ...segments[at], lines: changed });
  const next = endsSegment ? segments[at + 1].lines[0] : lines[index + 1];
  const misplaced = isHeader || endsSegment ? "segment" : "sequence";

  return [
    { title: "an edit of", changed: withLines(lines.with(index, forged(line))), expected: `${number} altered` },
    { title: "an edit, the chain repaired, of", changed: rechained(withLines(lines.with(index, forged(line)))), expected: `${number} altered` },
    { title: "no JSON in", changed: withLines(lines.with(index, line.replace("{", "["))), expected: `${number} json` },
    { title: "a removal of", changed: withLines(lines.toSpliced(index, 1)), expected: removal() },
    { title: "a forged line before", changed: withLines(lines.toSpliced(index, 0, forged(line))), expected: `${number} altered` },
    { title: "a repetition of", changed: withLines(lines.toSpliced(index, 0, line)), expected: `${number + 1} sequence` },
    ...(next === undefined ? [] : [{ title: "a swap with the next of", changed: swapped(), expected: `${number} ${misplaced}` }]),
    { title: "a cut before", changed: withLines(lines.slice(0, index)).slice(0, at + 1), expected: `${number} truncated` },
    { title: "a cut in", changed: withLines([...lines.slice(0, index), half(line)]).slice(0, at + 1), expected: `${number} truncated` },
    ...(at < segments.length - 1 ? cutSegment() : []),
    ...(index > 0 ? [{ title: "a file that begins with", changed: split(), expected: `${number} segment` }] : []),
  ];

  function removal() {
    if (number === last) return `${number} truncated`;
    if (endsSegment) return `${number} missing`;
    return `${number} ${isHeader ? "segment" : "sequence"}`;
  }

  function swapped() {
    if (!endsSegment) return withLines(lines.with(index, next).with(index + 1, line));
    const following = segments[at + 1];
    return withLines(lines.with(index, next)).with(at + 1, { ...following, lines: following.lines.with(0, line) });
  }

  /** The rest of one segment only; the later ones stay. */
  function cutSegment() {
    return [
      { title: "a segment cut before", changed: withLines(lines.slice(0, index)), expected: `${number} missing` },
      { title: "a segment cut in", changed: withLines([...lines.slice(0, index), half(line)]), expected: `${number} torn` },
      { title: "a segment cut before the newline of", changed: withLines([...lines.slice(0, index), line.trimEnd()]), expected: `${number} torn` },
    ];
  }

  function split() {
    return withLines(lines.slice(0, index)).toSpliced(at + 1, 0, { name: nameOf(number), lines: lines.slice(index) });
  }
}

/** As somebody would who knows the format but not the key. */
function rechained(segments) {
  let prevhash = "0".repeat(64);
  return segments.map((segment) => ({
    ...segment,
    lines: segment.lines.map((line) => {
      const linked = line.replace(/"prevhash":"[0-9a-f]{64}"/, `"prevhash":"${prevhash}"`);
      prevhash = sha256(linked.trimEnd());
      return linked;
    }),
  }));
}

/** What becomes of a log when one of its segments but the first is changed as a whole. */
function segmentCases({ segments, firsts, last }, at) {
  const segment = segments[at];
  const before = segments[at - 1];
  const first = firsts[at];
  const isLast = at === segments.length - 1;
  const next = isLast ? last + 1 : firsts[at + 1];
  const gone = isLast ? "truncated" : "missing";
  const renamed = (name) => ({ ...segment, name });
  const merged = { ...before, lines: [...before.lines, ...segment.lines] };
  const [header, ...rest] = segment.lines;
  return [
    { title: "a removal of", changed: segments.toSpliced(at, 1), expected: `${first} ${gone}` },
    { title: "no line left in", changed: segments.with(at, { ...segment, lines: [] }), expected: `${first} ${gone}` },
    { title: "a copy behind", changed: segments.toSpliced(at + 1, 0, renamed(nameOf(first + 1))), expected: `${next} segment` },
    { title: "another name of", changed: segments.with(at, renamed(nameOf(first + 1))), expected: `${first} missing` },
    { title: "a swap with the one before of", changed: segments.with(at - 1, { ...before, lines: segment.lines }).with(at, { ...segment, lines: before.lines }), expected: `${firsts[at - 1]} sequence` },
    { title: "a place in the file before for", changed: segments.toSpliced(at - 1, 2, merged), expected: `${first} segment` },
    { title: "a place in the file before for the first line of", changed: segments.with(at - 1, { ...before, lines: [...before.lines, header] }).with(at, { name: nameOf(first + 1), lines: rest }), expected: `${first} segment` },
    { title: "the line before it as first line of", changed: segments.with(at - 1, { ...before, lines: before.lines.slice(0, -1) }).with(at, { name: nameOf(first - 1), lines: [before.lines.at(-1), ...segment.lines] }), expected: `${first - 1} segment` },
  ].map((each) => ({ ...each, title: `${each.title} segment ${at + 1} of ${segments.length}` }));
}
