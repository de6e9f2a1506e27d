import { exportConsistencyProof, exportInclusionProof } from "vram-audit";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Output } from "./output.js";

/** What to prove: one of the two. */
export type ProofClaim = { readonly sequence: number } | { readonly fromSize: number };

export interface AuditProveOptions {
  /** The log's public key from elsewhere than the log, as its `.pub` file has it. */
  readonly publicKey?: string;
}

/** Prints a proof that a line is in an audit log, or that the log continues an older checkpoint. */
export async function auditProve(dir: string, claim: ProofClaim, { publicKey }: AuditProveOptions, output: Output): Promise<ExitCode> {
  const log = { dir, ...(publicKey !== undefined && { publicKey }) };
  const proof = await ("sequence" in claim ? exportInclusionProof({ ...log, ...claim }) : exportConsistencyProof({ ...log, ...claim }));
  output.say(proof.trimEnd());
  output.result({ proof });
  return EXIT.good;
}
