/** A C2SP tlog-proof: the note vouches for the line with this index, counted from 0. */
export interface InclusionProof {
  readonly kind: "inclusion";
  readonly index: number;
  /** The line without its newline. */
  readonly line: Buffer;
  readonly hashes: readonly Buffer[];
  readonly note: string;
}

/** What C2SP tlog-witness has as the body of an add-checkpoint request: the note's log continues the one of `oldSize` lines. */
export interface ConsistencyProof {
  readonly kind: "consistency";
  readonly oldSize: number;
  readonly hashes: readonly Buffer[];
  readonly note: string;
}

/** C2SP tlog-witness, "add-checkpoint". */
const HASHES_MAX = 63;
const INCLUSION = "c2sp.org/tlog-proof@v1";
const COUNT = "(0|[1-9][0-9]{0,15})";
const HEADER = new RegExp(`^(?:${INCLUSION}\nextra ([A-Za-z0-9+/]+={0,2})\nindex ${COUNT}|old ${COUNT})\n((?:[A-Za-z0-9+/]{43}=\n){0,${HASHES_MAX}})\n`);

export function formatProof(proof: InclusionProof | ConsistencyProof): string {
  const hashes = proof.hashes.map((hash) => `${hash.toString("base64")}\n`).join("");
  return `${formatClaim(proof)}\n${hashes}\n${proof.note}`;
}

function formatClaim(proof: InclusionProof | ConsistencyProof): string {
  return proof.kind === "inclusion" ? `${INCLUSION}\nextra ${proof.line.toString("base64")}\nindex ${proof.index}` : `old ${proof.oldSize}`;
}

/** Reads what {@link formatProof} writes; undefined for anything else, also for another spelling of the same. */
export function parseProof(text: string): InclusionProof | ConsistencyProof | undefined {
  const match = HEADER.exec(text);
  if (match === null) return undefined;
  const [header, line, index, oldSize, lines = ""] = match;
  const hashes = lines.split("\n").slice(0, -1).map((hash) => Buffer.from(hash, "base64"));
  const common = { hashes, note: text.slice(header.length) };
  const proof: InclusionProof | ConsistencyProof =
    oldSize === undefined
      ? { kind: "inclusion", index: Number(index), line: Buffer.from(line ?? "", "base64"), ...common }
      : { kind: "consistency", oldSize: Number(oldSize), ...common };
  return formatProof(proof) === text ? proof : undefined;
}
