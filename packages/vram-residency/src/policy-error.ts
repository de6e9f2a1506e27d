import type { PolicyReport } from "vram-policy";
import { VramError } from "./errors.js";

/** The error of a policy report: every violated rule, with its reason and remedy. `gpuDevice`: the ordinal of the device. */
export function policyError(
  { violations }: PolicyReport,
  { gpuDevice, cause }: { readonly gpuDevice?: number; readonly cause?: unknown } = {},
): VramError {
  const told = violations.map(({ rule, reason, remedy }) => `${rule}: ${reason}${remedy === null ? "" : ` (${remedy})`}`);
  return new VramError("POLICY_VIOLATION", `policy violated: ${told.join("; ")}`, {
    details: { violations, ...(gpuDevice === undefined ? {} : { gpuDevice }) },
    ...(cause === undefined ? {} : { cause }),
  });
}
