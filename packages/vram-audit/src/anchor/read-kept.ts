import { type Checkpoint, openCheckpoint } from "../note/checkpoint.js";
import type { VerifierKey } from "../note/verifier-key.js";
import type { Anchor } from "./anchor.js";
import { withinLimit } from "./within-limit.js";

/**
 * The checkpoints of this log that its anchors keep, of those that can tell. What is not signed by the log's key, and an anchor that fails, shows
 * when the anchor is given its first checkpoint.
 * @throws whatever a required anchor rejects with
 */
export async function readKept(anchors: readonly Anchor[], key: VerifierKey): Promise<readonly Checkpoint[]> {
  const notes = await Promise.all(anchors.map((anchor) => readNote(anchor)));
  return notes.flatMap((note) => openCheckpoint(note ?? "", key) ?? []);
}

async function readNote(anchor: Anchor): Promise<string | undefined> {
  try {
    return await withinLimit(anchor, async () => anchor.kept?.());
  } catch (error) {
    if (anchor.required === true) throw error;
    return undefined;
  }
}
