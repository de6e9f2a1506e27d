import type { PolicyReport } from "vram-policy";
import { VramError } from "./errors.js";

/** The error of a policy report: every violated rule, with its reason and remedy. */
export function policyError({ violations }: PolicyReport, cause?: unknown): VramError {
  const told = violations.map(({ rule, reason, remedy }) => `${rule}: ${reason}${remedy === null ? "" : ` (${remedy})`}`);
  return new VramError("POLICY_VIOLATION", `policy violated: ${told.join("; ")}`, {
    details: { violations },
    ...(cause === undefined ? {} : { cause }),
  });
}
