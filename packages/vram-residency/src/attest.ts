import { addonSha256 } from "vram-cuda";
import { createAttestation } from "vram-seal";
import type { AttestationStatement, AttestedShard, SealStatement } from "vram-seal";
import { invalidInput } from "./errors.js";
import { holdVerified } from "./hold-verified.js";
import type { HeldShards } from "./hold-verified.js";
import type { HostDevice } from "./host-device.js";
import type { ParsedAttestOptions } from "./options/call-options.js";
import type { LiveShard } from "./registry.js";
import { verifyShard } from "./verify.js";
import type { VerifyTarget } from "./verify.js";
import type { Worker } from "./worker.js";

/**
 * Verifies the shards from device memory, now that the nonce is known, and signs what was found.
 * @throws VramError as `verifyShard`; nothing is signed then.
 */
export async function attestShards(worker: Worker, targets: readonly VerifyTarget[], { nonce, signal }: ParsedAttestOptions): Promise<string> {
  const requestedAt = new Date().toISOString();
  const held = await holdVerified(worker, targets, { verify: verifyShard, checkShards: commonHost, signal });
  try {
    return await createAttestation(statementOf(worker, held, { nonce, requestedAt }), worker.parts.attestationKey);
  } finally {
    held.unpin();
  }
}

/** Attestation v1 speaks of one device. */
function commonHost(shards: readonly LiveShard[]): HostDevice {
  const [host, ...others] = new Set(shards.map((shard) => shard.host));
  if (host !== undefined && others.length === 0) return host;
  throw invalidInput("shards", "be of one device: attest those of each device by themselves");
}

function statementOf(
  worker: Worker,
  { shards, verified }: HeldShards,
  { nonce, requestedAt }: { readonly nonce: Uint8Array; readonly requestedAt: string },
): AttestationStatement {
  const { driverFacts, audit, workerId, instanceId, attestationKey } = worker.parts;
  const host = commonHost(shards);
  const { device } = host;
  const { uuid, name, ecc, integrated } = device.facts;
  const { backend, driverVersion, librarySha256 } = driverFacts;
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: verified.map(({ statement: { shardId, digest, expected } }) => ({
      name: shardId,
      digest: { "fsverity-sha256-4096": digest, ...(expected?.sha256 === undefined ? {} : { sha256: expected.sha256 }) },
    })),
    predicateType: "urn:vram-residency:attestation:v1",
    predicate: {
      nonce: Buffer.from(nonce).toString("base64"),
      requestedAt,
      attestedAt: new Date().toISOString(),
      workerId,
      instanceId,
      device: { uuid, name, backend, driverVersion, ecc, integrated },
      software: { driverLibrary: librarySha256, addon: addonSha256(), kernel: device.kernelSha256 },
      policy: worker.policyReport(host).rules.map(({ rule, verdict }) => ({ rule, verdict })),
      shards: verified.map(({ statement, report }) => attested(statement, report.verifiedAt)),
      auditHead: audit.head(),
      signingKey: attestationKey.origin,
    },
  };
}

function attested(
  { shardId, modelRef, vramBytes, placement, expected, keyId, sealSequence, sealedAt }: SealStatement,
  verifiedAt: string,
): AttestedShard {
  return { shardId, modelRef, vramBytes, placement, expected, keyId, sealSequence, sealedAt, verifiedAt, method: "vram-digest" };
}
