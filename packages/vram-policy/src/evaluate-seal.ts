import type { Policy } from "./policy.js";
import { reportOf, requireFact } from "./report.js";
import type { PolicyReport } from "./report.js";

/** Judges what a caller asks to be sealed, before anything is allocated. */
export function evaluateSeal({ expected }: { readonly expected: object | null }, policy: Policy): PolicyReport {
  return reportOf([
    requireFact({
      rule: "expected-digest",
      fact: expected !== null,
      holds: Boolean,
      good: "the bytes have an expected digest",
      bad: "the bytes have no expected digest, so the seal says integrity and not approval",
      remedy: "give expect.fsverity or expect.sha256",
      waived: !policy.requireExpected,
    }),
  ]);
}
