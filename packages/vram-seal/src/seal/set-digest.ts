import { createHash } from "node:crypto";
import { digestProblem } from "vram-text";
import { canonicalize } from "../encoding/canonical-json.js";
import { invalidInput } from "../seal-error.js";

/** What the digest of a set is made over besides its members' digests: no other digest is made over text of this type. */
const SET_TYPE = "vram-set/v1";

/**
 * The digest of a set (docs/spec/seal-v1.md, "Set digest"), 64 lowercase hexadecimal characters.
 *
 * @param digests the fs-verity digests of its members, by shard index
 * @throws SealError `INVALID_INPUT`
 */
export function setDigest(digests: readonly string[]): string {
  if (!Array.isArray(digests) || digests.length === 0) throw invalidInput("digests", "be a list of at least one digest");
  for (const digest of digests as readonly unknown[]) {
    const problem = digestProblem(digest);
    if (problem !== undefined) throw invalidInput("digests", problem);
  }
  return createHash("sha256").update(canonicalize({ type: SET_TYPE, digests })).digest("hex");
}
