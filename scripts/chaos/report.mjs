// The grid as text, and as the table of the documents.
import { groupBy } from "../group-by.mjs";

const codeOf = ({ seen }) => seen.code ?? "ok";

/** One line for each operation and entry point: the code, and by which faults. */
export function gridText(cells) {
  const lines = [];
  for (const [operation, ofOperation] of groupBy(cells, ({ operation }) => operation)) {
    lines.push("", operation);
    for (const [entryPoint, ofEntryPoint] of groupBy(ofOperation, (cell) => cell.entryPoint)) {
      const byCode = [...groupBy(ofEntryPoint, codeOf)];
      const codes = byCode.map(([code, some]) => (byCode.length === 1 ? code : `${code}: ${some.map(({ name }) => name).join(", ")}`));
      lines.push(`  ${entryPoint.padEnd(30)} ${codes.join("; ")}`);
    }
  }
  return lines.join("\n").trimStart();
}

const EFFECTS = { fails: "answers an error", "no room": "is out of memory", loses: "ends the context", lies: "answers success and does not do it", flips: "comes just after a bit of the shard flipped" };

/** What was left, in words. */
function memoryOf({ operation, effect, seen }) {
  const given = seen.events.filter((event) => event.startsWith("vram.shard.deallocated")).map((event) => event.match(/\((.*)\)/)[1]);
  if (given.includes("lost")) return "lost, stays counted";
  if (given.includes("not wiped")) return "not wiped, stays mapped and counted";
  if (given.includes("wiped")) return seen.usedShards === 0 ? "wiped and freed" : "wiped, stays mapped and counted";
  if (seen.usedShards > 0) return "sealed";
  return effect === "loses" && operation !== "open" && seen.code === "DEVICE_LOST" ? "none of a shard" : "none";
}

function outcomeOf(cell) {
  const { code, kind, state, executed, events } = cell.seen;
  const names = [...groupBy(events, (event) => event)].map(([event, some]) => (some.length > 1 ? `${some.length} × ${event}` : event));
  return [
    code === null ? "none" : `${code} (${kind})`,
    state === "none" ? "not open" : state,
    executed ? "called" : "not called",
    names.map((name) => `\`${name.replace("vram.", "")}\``).join(", ") || "none",
    memoryOf(cell),
  ];
}

/** Entry points, each with the faults where not all of one effect have the same outcome. */
function causes(some, ofEffect) {
  return [...groupBy(some, ({ entryPoint }) => entryPoint)]
    .map(([entryPoint, faults]) => {
      const all = ofEffect.filter((cell) => cell.entryPoint === entryPoint).length;
      return faults.length === all ? entryPoint : `${entryPoint} (${faults.map(({ name }) => name).join(", ")})`;
    })
    .join(", ");
}

function table(operation, cells) {
  const withFn = operation.startsWith("execute");
  const row = (columns) => `| ${columns.filter((_, index) => withFn || index !== 4).join(" | ")} |`;
  const lines = [row(["the call", "of", "code", "worker", "`fn`", "events, `vram.` left out", "memory of shards"]), row(Array(7).fill("---"))];
  for (const [effect, ofEffect] of groupBy(cells, (cell) => cell.effect)) {
    for (const [, some] of groupBy(ofEffect, (cell) => JSON.stringify(outcomeOf(cell)))) {
      lines.push(row([EFFECTS[effect], causes(some, ofEffect), ...outcomeOf(some[0])]));
    }
  }
  return lines.join("\n");
}

export function outcomesDocument(cells) {
  const sections = [...groupBy(cells, ({ operation }) => operation)].map(([operation, some]) => `## ${operation}\n\n${table(operation, some)}`);
  return `# Outcomes of driver faults

\`npm run chaos -- --write\` makes this document from what it sees; do not edit it. Each driver call that an operation makes is
made to fail on the simulated driver: the first time (once), the last time (late), always; with an error, with one that ends
the context (sticky), or by answering success without doing it; or a bit of a sealed shard flips just before it.
\`npm run chaos\` compares what it sees with what the purpose
of the call allows, and looks for what is left when all is closed. Not run on a GPU.

A call that several rows name has several purposes in the operation. \`undo a seal\` is a seal whose \`expect\` names another
digest; \`seal a set\` is of two files.

The details of \`INSUFFICIENT_VRAM\` have a \`reason\`: \`shortage\`, or \`fragmentation\` where the driver refused memory although it counted
enough of it free just after.

${sections.join("\n\n")}
`;
}
