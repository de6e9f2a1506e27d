import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalize, fromKeyFile } from "vram-seal";
import type { Seal, SealStatement } from "vram-seal";
import { openWorkplace, temporaryFolder } from "./fixture.js";
import type { Workplace } from "./fixture.js";

export function statementOf({ statement }: Seal): SealStatement {
  return JSON.parse(Buffer.from(statement, "base64").toString()) as SealStatement;
}

/** The MAC as docs/spec/seal-v1.md says, without the package's own code. */
export function macOf(root: Uint8Array, statement: Buffer, { instanceId } = JSON.parse(statement.toString()) as Pick<SealStatement, "instanceId">): string {
  const key = Buffer.from(hkdfSync("sha256", root, "vram-seal/v1", `seal\0${instanceId}`, 32));
  const type = "application/vnd.vram-seal.v1+json";
  return createHmac("sha256", key).update(`DSSEv1 ${type.length} ${type} ${statement.length} `).update(statement).digest("base64");
}

/** What whoever holds the root key can sign: a seal with these fields changed. */
export function resigned(root: Uint8Array, seal: Seal, changes: Partial<SealStatement>): Seal {
  const statement = Buffer.from(canonicalize({ ...statementOf(seal), ...changes }));
  return { statement: statement.toString("base64"), mac: macOf(root, statement) };
}

/** A workplace whose root key the test knows. */
export async function openWithKnownKey(): Promise<{ place: Workplace; root: Buffer }> {
  const path = join(await temporaryFolder(), "key");
  const root = randomBytes(32);
  await writeFile(path, root, { mode: 0o600 });
  return { place: await openWorkplace({ sealKey: await fromKeyFile(path) }), root };
}
