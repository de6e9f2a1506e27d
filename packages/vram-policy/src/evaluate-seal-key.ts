import type { Policy } from "./policy.js";
import { isTrue, reportOf, requireFact } from "./report.js";
import type { PolicyReport } from "./report.js";

/** Judges the key that is to sign seals. */
export function evaluateSealKey({ locked }: { readonly locked: boolean }, policy: Policy): PolicyReport {
  return reportOf([
    requireFact({
      rule: "seal-key-locked",
      fact: locked,
      holds: isTrue,
      teller: "the key",
      good: "it lies in locked memory, or in a token that never gives it out",
      bad: "it may be swapped out, dumped, or read from its token, or is derived from a text that may",
      remedy: "take another source than a worker token, install the addon of vram-seal and raise ulimit -l, or make the token's key sensitive and not extractable",
      waived: !policy.requireLockedKey,
    }),
  ]);
}
