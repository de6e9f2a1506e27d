import { PolicyError } from "./policy-error.js";
import type { PolicyReport } from "./report.js";

/**
 * Passes where no rule is violated.
 * @throws PolicyError `POLICY_VIOLATION`, its `details.violations` all violated rules with reasons and remedies
 */
export function assertPolicy({ ok, violations }: PolicyReport): void {
  if (ok) return;
  const told = violations.map(({ rule, reason }) => `${rule}: ${reason}`);
  throw new PolicyError("POLICY_VIOLATION", `policy violated: ${told.join("; ")}`, { violations });
}
