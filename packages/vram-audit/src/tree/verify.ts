import { integrityViolation } from "../audit-error.js";
import { leftSize, nodeHash } from "./merkle-tree.js";

/** A tree: how many entries, and the root over them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Buffer;
}

/**
 * RFC 6962 section 2.1.1: throws unless the proof shows that `leaf` is the hash of entry `index`, counted from 0, of `head`.
 * @throws AuditError `INTEGRITY_VIOLATION`
 */
export function verifyInclusion(leaf: Buffer, index: number, head: TreeHead, hashes: readonly Buffer[]): void {
  const root = index >= 0 && index < head.size ? rootWith(leaf, index, head.size, hashes) : undefined;
  if (root?.equals(head.root) !== true) throw integrityViolation("inclusion", "the proof does not show that the line is in the log");
}

/**
 * RFC 6962 section 2.1.2: throws unless the proof shows that the entries of `old`, at least one, are the first of `head`.
 * @throws AuditError `INTEGRITY_VIOLATION`
 */
export function verifyConsistency(old: TreeHead, head: TreeHead, hashes: readonly Buffer[]): void {
  const roots = rootsWith(old.root, old.size, head.size, hashes);
  if (roots?.old.equals(old.root) !== true || !roots.root.equals(head.root)) {
    throw integrityViolation("consistency", "the proof does not show that the log continues the older one");
  }
}

/** The root of a tree in which `leaf` has this index; undefined for a proof of the wrong length. */
function rootWith(leaf: Buffer, index: number, size: number, hashes: readonly Buffer[]): Buffer | undefined {
  const sibling = hashes.at(-1);
  if (size === 1 || sibling === undefined) return size === 1 && sibling === undefined ? leaf : undefined;
  const left = leftSize(size);
  const inner = hashes.slice(0, -1);
  if (index >= left) {
    const right = rootWith(leaf, index - left, size - left, inner);
    return right && nodeHash(sibling, right);
  }
  const root = rootWith(leaf, index, left, inner);
  return root && nodeHash(root, sibling);
}

interface Roots {
  readonly old: Buffer;
  readonly root: Buffer;
}

/** @param known root of the old tree as long as this subtree begins where it does, else undefined: then the proof has it */
function rootsWith(known: Buffer | undefined, oldSize: number, size: number, hashes: readonly Buffer[]): Roots | undefined {
  const last = hashes.at(-1);
  if (oldSize === size) {
    const shared = known ?? last;
    return shared && hashes.length === (known === undefined ? 1 : 0) ? { old: shared, root: shared } : undefined;
  }
  if (last === undefined) return undefined;
  const left = leftSize(size);
  const inner = hashes.slice(0, -1);
  if (oldSize <= left) {
    const roots = rootsWith(known, oldSize, left, inner);
    return roots && { old: roots.old, root: nodeHash(roots.root, last) };
  }
  const roots = rootsWith(undefined, oldSize - left, size - left, inner);
  return roots && { old: nodeHash(last, roots.old), root: nodeHash(last, roots.root) };
}
