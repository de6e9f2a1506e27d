import { describeProblem, verifyAuditLog } from "vram-audit";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Output } from "./output.js";

export interface AuditVerifyOptions {
  /** The log's public key from elsewhere than the log, as its `.pub` file has it. */
  readonly publicKey?: string;
}

const KEY_SOURCES = {
  option: "the command line",
  "pub-file": "the file beside the log's folder",
  log: "the log itself, which proves nothing against who can rewrite it",
  none: "nowhere",
} as const;

/** Checks an audit log line by line and names what is wrong. */
export async function auditVerify(dir: string, options: AuditVerifyOptions, output: Output): Promise<ExitCode> {
  const { publicKey } = options;
  const report = await verifyAuditLog({ dir, ...(publicKey === undefined ? {} : { publicKey }) });
  for (const problem of report.problems) output.say(`FAILED: ${describeProblem(problem)}`);
  const { events, removed, linesAfterCheckpoint, closed, keyFrom, ok } = report;
  if (removed > 0) output.say(`${removed} older events were removed.`);
  output.say(`${events} events, ${closed ? "closed" : "not closed"}, ${linesAfterCheckpoint} after the last checkpoint.`);
  output.say(`Checked with the public key from ${KEY_SOURCES[keyFrom ?? "none"]}: ${ok ? "good" : "DAMAGED"}.`);
  output.result(report);
  return report.ok ? EXIT.good : EXIT.refused;
}
