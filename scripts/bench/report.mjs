// A run as one JSON object, and as text.
import { summarize } from "./statistics.mjs";

const round = (value) => (Number.isInteger(value) ? value : Number(value.toPrecision(6)));

function roundAll(value) {
  if (typeof value === "number") return round(value);
  if (Array.isArray(value)) return value.map(roundAll);
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, roundAll(each)])) : value;
}

function figureOf({ id, backend, bytes, absent, samples }) {
  if (absent !== undefined) return { id, absent };
  const { median, spread } = summarize(samples.map(({ seconds }) => seconds));
  return { id, backend, bytes, median, spread, gigabytesPerSecond: bytes && bytes / median / 1e9, samples };
}

/** `results` are the groups' figures and rows. Seconds, unless a row says its unit. */
export function reportOf({ options: { seed, rounds, quick }, machine, results }) {
  return {
    ...{ seed, rounds, quick, machine },
    figures: results.flatMap(({ name, figures }) => figures.map((figure) => roundAll({ group: name, ...figureOf(figure) }))),
    rows: results.flatMap(({ rows }) => rows.map(roundAll)),
  };
}

const number = (value, unit) => `${value.toPrecision(3).includes("e") ? Math.round(value) : Number(value.toPrecision(3))}${unit === "x" ? "x" : ` ${unit}`}`;

function timeOf(seconds) {
  if (seconds >= 1) return number(seconds, "s");
  return seconds >= 1e-3 ? number(seconds * 1e3, "ms") : number(seconds * 1e6, "µs");
}

function table(head, lines) {
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column].length)));
  return [head, ...lines].map((line) => line.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd()).join("\n");
}

function figureLine({ id, backend, absent, median, spread, gigabytesPerSecond }) {
  const name = backend === "simulator" ? `${id} [simulator]` : id;
  if (absent !== undefined) return [name, "", "", absent];
  return [name, timeOf(median), timeOf(spread), gigabytesPerSecond === undefined ? "" : number(gigabytesPerSecond, "GB/s")];
}

function rowLine({ id, backend, unit, median, spread, must, aim, verdict }) {
  const name = backend === "simulator" && !id.startsWith("simulator") ? `${id} [simulator]` : id;
  return [name, ...[median, spread, must, aim].map((value) => (value === undefined ? "" : number(value, unit))), verdict];
}

export function reportText({ seed, rounds, machine, figures, rows }) {
  const { device } = machine;
  return [
    `${machine.cpu}, ${machine.cores} cores, class ${machine.class}; ${device.backend}: ${device.name}; ${rounds} rounds, seed ${seed}`,
    table(["measured", "median", "spread", ""], figures.map(figureLine)),
    table(["how many times as fast, or how fast", "median", "spread", "must", "aim", "verdict"], rows.map(rowLine)),
  ].join("\n\n");
}
