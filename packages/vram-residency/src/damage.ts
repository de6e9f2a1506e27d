import type { SealVerificationFailed } from "vram-audit";
import { textProblem } from "vram-text";
import type { LiveShard } from "./registry.js";
import type { TensorView } from "./tensor-view.js";

const BLOCK_BYTES = 4096;
/** Blocks that are located, and can be repaired, at a time: 16 MiB. */
const LOCATED_BLOCKS_MAX = 4096;
const REPORTED_BLOCKS_MAX = 64;
const REPORTED_TENSORS_MAX = 4;
const REPORTED_NAME_MAX_BYTES = 1024;

/** What is told of damaged memory: how many blocks of 4096 bytes, and of the first ones where they lie and in which tensors. */
export type DamageReport = NonNullable<SealVerificationFailed["data"]["damage"]>;

/** Damaged blocks by number, all or the first 4096 of them, ascending. */
export interface LocatedDamage {
  readonly blocks: readonly number[];
  readonly report: DamageReport;
}

/** Finds the blocks that are not what was sealed; undefined where that cannot be told. */
export async function locateDamage({ allocation, statement, tensors }: LiveShard): Promise<LocatedDamage | undefined> {
  try {
    const { blockCount, blocks } = await allocation.locate({ digest: statement.digest, limit: LOCATED_BLOCKS_MAX });
    const reported = blocks.slice(0, REPORTED_BLOCKS_MAX).map(({ index, singleBit }) => ({ index, singleBit, tensors: tensorsIn(index, tensors) }));
    return { blocks: blocks.map(({ index }) => index), report: { blockCount, blocks: reported } };
  } catch {
    return undefined;
  }
}

/** Names of the first tensors with bytes in a block, of those whose name may be told. */
function tensorsIn(block: number, tensors: ReadonlyMap<string, TensorView>): string[] {
  const [from, to] = [block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES];
  return [...tensors.values()]
    .filter(({ byteOffset, byteLength }) => byteOffset < to && byteOffset + byteLength > from)
    .map(({ name }) => name)
    .filter((name) => textProblem(name, REPORTED_NAME_MAX_BYTES) === undefined && Buffer.byteLength(name) <= REPORTED_NAME_MAX_BYTES)
    .slice(0, REPORTED_TENSORS_MAX);
}
