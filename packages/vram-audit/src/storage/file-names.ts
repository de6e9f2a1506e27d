/** The events, one JSON object a line. The record; everything else can be checked against it. */
export const LOG_FILE = "audit-v1.jsonl";
/** Every signed checkpoint, oldest first. */
export const CHECKPOINT_FILE = "audit-v1.checkpoints";
/** The leaf hash of every line under a checkpoint: with a checkpoint's root they tell which line was altered. */
export const LEAF_FILE = "audit-v1.leaves";

/** The newest checkpoint in the directory of an anchor. */
export const ANCHOR_FILE = "audit-v1.checkpoint";

/** Beside the log's directory, so that who can write there cannot also sign. */
export const KEY_SUFFIX = ".key";
export const PUBLIC_KEY_SUFFIX = ".pub";
