import { checkAuditProof } from "vram-audit";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Output } from "./output.js";
import { readFileArgument } from "./read-file.js";

export interface AuditCheckProofOptions {
  /** The log's public key, as its `.pub` file has it. */
  readonly publicKey: string;
  /** File with the older checkpoint, for a proof that the log continues it. */
  readonly checkpoint?: string;
}

/** Checks a proof from a file and tells what it proves. Needs nothing of the log but its public key. */
export async function auditCheckProof(file: string, options: AuditCheckProofOptions, output: Output): Promise<ExitCode> {
  const { publicKey, checkpoint } = options;
  const proven = checkAuditProof({
    proof: (await readFileArgument("file", file)).toString(),
    publicKey,
    ...(checkpoint !== undefined && { checkpoint: (await readFileArgument("--checkpoint", checkpoint)).toString() }),
  });
  const { origin, size } = proven;
  if (proven.kind === "inclusion") output.say(proven.line);
  output.say(
    proven.kind === "inclusion"
      ? `Good: this is line ${proven.sequence} of the ${size} lines of ${origin}.`
      : `Good: the ${size} lines of ${origin} begin with the ${proven.oldSize} lines of the older checkpoint.`,
  );
  output.result(proven);
  return EXIT.good;
}
