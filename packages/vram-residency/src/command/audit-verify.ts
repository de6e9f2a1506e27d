import { verifyAuditLog } from "vram-audit";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Output } from "./output.js";

export interface AuditVerifyOptions {
  /** The log's public key from elsewhere than the log, as its `.pub` file has it. */
  readonly publicKey?: string;
}

/** Checks an audit log line by line and names what is wrong. */
export async function auditVerify(dir: string, options: AuditVerifyOptions, output: Output): Promise<ExitCode> {
  const report = await verifyAuditLog({ dir, ...options });
  for (const { line, reason } of report.problems) {
    output.say(line === null ? `FAILED: ${reason}` : `FAILED at line ${line}: ${reason}`);
  }
  output.say(`${report.events} events, ${report.linesAfterCheckpoint} after the last checkpoint, ${report.ok ? "good" : "DAMAGED"}`);
  output.result(report);
  return report.ok ? EXIT.good : EXIT.refused;
}
