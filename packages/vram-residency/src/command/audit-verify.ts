import { describeProblem, readAnchor, verifyAuditLog } from "vram-audit";
import type { AnchoredPart, ClockStep } from "vram-audit";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Output } from "./output.js";

export interface AuditVerifyOptions {
  /** The log's public key from elsewhere than the log, as its `.pub` file has it. */
  readonly publicKey?: string;
  /** An anchor's directory, or a file with a checkpoint that was kept elsewhere. */
  readonly anchor?: string;
  /** Begin at the anchor's checkpoint, at which the log was verified before. */
  readonly resume?: boolean;
}

const KEY_SOURCES = {
  option: "the command line",
  "pub-file": "the file beside the log's folder",
  log: "the log itself, which proves nothing against who can rewrite it",
  none: "nowhere",
} as const;

/** Checks an audit log line by line and names what is wrong. */
export async function auditVerify(dir: string, options: AuditVerifyOptions, output: Output): Promise<ExitCode> {
  const { publicKey, anchor, resume = false } = options;
  const checkpoint = anchor === undefined ? undefined : await readAnchor(anchor);
  const report = await verifyAuditLog({ dir, ...(publicKey !== undefined && { publicKey }), ...(checkpoint !== undefined && { checkpoint }), resume });
  for (const problem of report.problems) output.say(`FAILED: ${describeProblem(problem)}`);
  for (const step of report.clockSteps) output.say(describeStep(step));
  const { events, head, removed, linesSkipped, anchored, linesAfterCheckpoint, closed, keyFrom, ok } = report;
  if (removed > 0) output.say(`${removed} older events were removed.`);
  output.say(`${events} events, ${closed ? "closed" : "not closed"}, ${linesAfterCheckpoint} after the last checkpoint.`);
  if (resume) output.say(`Verified from line ${removed + linesSkipped + 1} on; ${linesSkipped} lines before were not read again.`);
  if (anchored !== null && anchored.size <= head.size) output.say(describeAnchored(anchored));
  output.say(`Checked with the public key from ${KEY_SOURCES[keyFrom ?? "none"]}: ${ok ? "good" : "DAMAGED"}.`);
  output.result(report);
  return report.ok ? EXIT.good : EXIT.refused;
}

function describeStep({ line, milliseconds }: ClockStep): string {
  const [seconds, direction] = [Math.abs(milliseconds) / 1000, milliseconds < 0 ? "back" : "forward"];
  return `NOTICE: at line ${line} the writer's clock had gone ${direction} by ${seconds} s.`;
}

function describeAnchored({ size, linesAfter }: AnchoredPart): string {
  if (linesAfter === 0) return "Anchored up to the last line.";
  return `Anchored up to line ${size}; not anchored: ${linesAfter} from line ${size + 1} on.`;
}
