import { join } from "node:path";
import { type Anchor, type AuditLog, openAuditLog, type SignedCheckpoint } from "../../src/index.js";

export interface AnchoredLog {
  readonly dir: string;
  readonly log: AuditLog;
}

/** A log in a directory of `home` that signs a checkpoint every 50 ms. */
export async function openAnchored(home: string, ...anchors: readonly Anchor[]): Promise<AnchoredLog> {
  const dir = join(home, "log");
  return { dir, log: await openAuditLog({ dir, anchors, checkpointEvery: { milliseconds: 50 } }) };
}

const ROOT = Buffer.alloc(32, 7);

/** A checkpoint that nobody signed, in the form of one. */
export function madeUp(size: number): SignedCheckpoint {
  const note = `example.org/log\n${size}\n${ROOT.toString("base64")}\n\n— example.org/log AAAA\n`;
  return { origin: "example.org/log", size, root: ROOT, note };
}

/** Never fires. */
export const never = new AbortController().signal;
