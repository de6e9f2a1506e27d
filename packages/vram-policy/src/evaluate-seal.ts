import type { Policy } from "./policy.js";
import { isTrue, reportOf, requireFact } from "./report.js";
import type { PolicyReport } from "./report.js";

/** What the caller says the bytes must be: the digests in hex, of which one is enough. */
export interface ExpectedDigests {
  readonly fsverity?: string | undefined;
  readonly sha256?: string | undefined;
}

/** What a caller asks to be sealed. */
export interface SealRequestFacts {
  readonly expected: ExpectedDigests | null;
  /** What the host memory is that the bytes pass through. */
  readonly staging: "pageable" | "pinned";
}

/** Judges what a caller asks to be sealed, before anything is allocated. */
export function evaluateSeal({ expected, staging }: SealRequestFacts, policy: Policy): PolicyReport {
  return reportOf([
    requireFact({
      rule: "expected-digest",
      fact: typeof expected?.fsverity === "string" || typeof expected?.sha256 === "string",
      holds: isTrue,
      good: "the bytes have an expected digest",
      bad: "the bytes have no expected digest, so the seal says integrity and not approval",
      remedy: "give expect.fsverity or expect.sha256",
      waived: !policy.requireExpected,
    }),
    requireFact({
      rule: "pageable-staging",
      fact: staging,
      holds: (fact) => fact === "pageable",
      good: "the load page-locks no host memory",
      bad: "the load page-locks host memory while it lasts",
      remedy: "leave staging out, or set requirePageableStaging to false",
      waived: !policy.requirePageableStaging,
    }),
  ]);
}
