import { verifyAttestation } from "vram-seal";
import type { AttestationKeyOrigin, AttestationStatement, SealStatement } from "vram-seal";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Output } from "./output.js";
import { readFileArgument } from "./read-file.js";

const ORIGIN: Readonly<Record<AttestationKeyOrigin, string>> = { file: "from a file", pkcs11: "in a token", process: "of its process alone" };

export interface AttestVerifyOptions {
  /** File with the signer's Ed25519 public key, SubjectPublicKeyInfo in PEM. */
  readonly publicKey: string;
  /** The verifier's nonce. */
  readonly nonce: Uint8Array;
  /** In seconds. */
  readonly maxAge?: number;
  readonly allowProcessKey?: true;
  readonly allowBackend?: readonly SealStatement["backend"][];
}

/** Verifies an attestation from a file and tells what it vouches for. Needs no GPU. */
export async function attestVerify(file: string, options: AttestVerifyOptions, output: Output): Promise<ExitCode> {
  const { nonce, maxAge, allowProcessKey, allowBackend } = options;
  const statement = verifyAttestation(await readFileArgument("file", file), {
    publicKey: (await readFileArgument("--public-key", options.publicKey)).toString(),
    nonce,
    ...(maxAge !== undefined && { maxAgeMs: maxAge * 1000 }),
    ...(allowProcessKey && { allowProcessKey }),
    ...(allowBackend && { allowBackends: allowBackend }),
  });
  tell(statement, output);
  output.result(statement);
  return EXIT.good;
}

function tell({ subject, predicate }: AttestationStatement, output: Output): void {
  const { workerId, device, policy, shards, attestedAt, auditHead, signingKey } = predicate;
  const ageSeconds = Math.max(0, Math.round((Date.now() - Date.parse(attestedAt)) / 1000));
  output.say(`Attested ${ageSeconds} s ago by worker ${workerId}, with a key ${ORIGIN[signingKey]}.`);
  output.say(`Device ${device.uuid} (${device.name}), backend ${device.backend}, driver ${device.driverVersion}, ECC ${onOff(device.ecc)}.`);
  const digests = new Map(subject.map(({ name, digest }) => [name, digest["fsverity-sha256-4096"]]));
  for (const { shardId, modelRef, vramBytes, expected, verifiedAt } of shards) {
    const approval = expected === null ? "no published digest" : `as published (${Object.keys(expected).join(", ")})`;
    output.say(`${shardId}: sha256:${digests.get(shardId) ?? ""}, ${vramBytes} bytes, ${approval}, verified ${verifiedAt}, ${modelRef ?? "no reference"}`);
  }
  const waived = policy.filter(({ verdict }) => verdict === "waived").map(({ rule }) => rule);
  output.say(`${policy.length} policy rules, none violated, waived: ${waived.length === 0 ? "none" : waived.join(", ")}.`);
  output.say(`Audit trail ${auditHead.origin}: ${auditHead.size} events, root ${auditHead.root}.`);
  output.say("Good: signed by the given key, and answers the nonce. Compare the digests with what you approved.");
}

function onOff(fact: boolean | null): string {
  if (fact === null) return "unknown";
  return fact ? "on" : "off";
}
