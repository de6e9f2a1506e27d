// The matrix as text and as Markdown.
import { groupBy } from "../group-by.mjs";

const KINDS = { vectors: "vectors", requirements: "IDs", names: "names", scenarios: "scenarios", properties: "properties" };

const result = ({ ok, tests }) => {
  if (ok) return "passed";
  return tests.some(({ status }) => status === "failed") ? "FAILED" : tests.some(({ status }) => status === "skipped") ? "SKIPPED" : "MISSING";
};
const count = ({ tests }) => `${tests.length} ${tests.length === 1 ? "test" : "tests"}`;

export function matrixText(rows) {
  const width = Math.max(...rows.map(({ id }) => id.length));
  const lines = [];
  for (const [group, some] of groupBy(rows, (row) => row.group)) {
    lines.push("", group);
    for (const row of some) {
      const proof = [...row.mechanism, ...row.names].join(" ");
      lines.push(`  ${result(row).padEnd(7)} ${row.id.padEnd(width)} ${count(row).padStart(9)}  ${proof}`.trimEnd());
    }
  }
  return lines.join("\n").trimStart();
}

/** How many of each kind passed: `33 of 33 vectors, ...`. */
export function summaryOf(rows) {
  return Object.entries(KINDS)
    .map(([kind, word]) => {
      const some = rows.filter((row) => row.kind === kind);
      return `${some.filter(({ ok }) => ok).length} of ${some.length} ${word}`;
    })
    .join(", ");
}

export function matrixMarkdown(rows) {
  const sections = [...groupBy(rows, (row) => row.group)].map(([group, some]) => {
    const lines = some.map(({ id, holds = "", mechanism, names, ...row }) => {
      const cells = [id, holds, mechanism.map((file) => `\`${file}\``).join(", "), names.map((name) => `\`${name}\``).join(", "), count(row), result(row)];
      return `| ${cells.join(" | ")} |`;
    });
    return [`## ${group}`, "", "| ID | holds | mechanism | named tests | tests | result |", "|---|---|---|---|---|---|", ...lines].join("\n");
  });
  return `# Verification matrix\n\n\`npm run matrix -- --markdown FILE\` made this from the last test results: ${summaryOf(rows)} passed.\n\n${sections.join("\n\n")}\n`;
}
