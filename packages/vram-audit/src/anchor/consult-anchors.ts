import { unavailable } from "../audit-error.js";
import { type Checkpoint, openCheckpoint } from "../note/checkpoint.js";
import type { VerifierKey } from "../note/verifier-key.js";
import type { Anchor } from "./anchor.js";
import { withinLimit } from "./within-limit.js";

/** An anchor with what it keeps of a log that is being opened; undefined when it keeps nothing, or cannot tell. */
export interface ConsultedAnchor {
  readonly anchor: Anchor;
  readonly checkpoint?: Checkpoint | undefined;
}

/**
 * Asks the anchors what they keep of the log with this key. One that could not be asked, or keeps what the log cannot be compared
 * with, is replaced by one that fails: given a checkpoint of a log that was cut and continued, it would lose the one that shows the
 * cut.
 * @param removed how many lines are gone from the beginning of the log
 * @throws whatever a required anchor rejects with; AuditError `AUDIT_UNAVAILABLE` when it keeps such a thing
 */
export function consultAnchors(anchors: readonly Anchor[], key: VerifierKey, removed: number): Promise<readonly ConsultedAnchor[]> {
  return Promise.all(anchors.map((anchor) => consult(anchor, key, removed)));
}

async function consult(anchor: Anchor, key: VerifierKey, removed: number): Promise<ConsultedAnchor> {
  const { name, required } = anchor;
  try {
    const note = await withinLimit(anchor, async () => anchor.kept?.());
    if (note === undefined || note === "") return { anchor };
    const checkpoint = openCheckpoint(note, key);
    if (checkpoint === undefined) throw unavailable("foreign", `the anchor "${name}" keeps what the log's key did not sign`, { anchor: name });
    if (checkpoint.size < removed) throw unavailable("removed", `the anchor "${name}" keeps a checkpoint of lines that were removed`, { anchor: name });
    return { anchor, checkpoint };
  } catch (error) {
    if (required === true) throw error;
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the anchor's own rejection, whatever it is
    return { anchor: { name, keep: () => Promise.reject(error) } };
  }
}
