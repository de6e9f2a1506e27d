import { checkAge, checkSeal } from "./check-seal.js";
import { locateDamage } from "./damage.js";
import { assertNotAborted, invalidInput } from "./errors.js";
import { rangeVerified } from "./events.js";
import type { ByteRange } from "./lease.js";
import { readDigest, readOrRefuse } from "./read-device.js";
import { refuse } from "./refusal.js";
import type { LiveShard } from "./registry.js";
import { tracedOn } from "./telemetry/publish.js";
import { verifyPinned, verifyShard } from "./verify.js";
import type { VerifyTarget } from "./verify.js";
import type { Worker } from "./worker.js";

/** What the verification of a part of a shard established. `byteOffset` and `byteLength` in bytes, `durationMs` in milliseconds. */
export interface RangeReport {
  readonly shardId: string;
  /** Of the whole shard: what the range was proved against. */
  readonly digest: string;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly verifiedAt: string;
  readonly durationMs: number;
}

/** A tensor by its name, or bytes of the image. */
export type Part = { readonly tensor: string } | { readonly range: ByteRange };

/** The part that options name, if any. @throws VramError `INVALID_INPUT` for two. */
export function partOf({ tensor, range }: { readonly tensor?: string | undefined; readonly range?: ByteRange | undefined }): Part | undefined {
  if (tensor !== undefined && range !== undefined) throw invalidInput("options", "name a tensor or a range, not both");
  if (range !== undefined) return { range };
  return tensor === undefined ? undefined : { tensor };
}

/** Verifies a part of a target. @throws VramError as `pinTarget` and `verifyShardRange`; `INVALID_INPUT` for a part that is not there. */
export async function verifyPart(worker: Worker, target: VerifyTarget, part: Part, signal: AbortSignal | undefined): Promise<RangeReport> {
  return verifyPinned(worker, target, async (shard) => {
    const { offset: byteOffset, byteLength } = rangeOf(shard, part);
    const startMs = performance.now();
    await verifyShardRange(worker, shard, { offset: byteOffset, byteLength }, signal);
    const { shardId, statement } = shard;
    const facts = { shardId, digest: statement.digest, byteOffset, byteLength, durationMs: performance.now() - startMs };
    await worker.record(rangeVerified(facts));
    return { ...facts, verifiedAt: new Date().toISOString() };
  });
}

function rangeOf({ tensors, statement: { vramBytes } }: LiveShard, part: Part): ByteRange {
  if ("range" in part) {
    const { offset, byteLength } = part.range;
    if (offset + byteLength <= vramBytes) return part.range;
    throw invalidInput("options.range", `lie within the ${vramBytes} bytes of the shard`);
  }
  const tensor = tensors.get(part.tensor);
  if (tensor === undefined) throw invalidInput("options.tensor", "be the name of a tensor of the shard");
  if (tensor.byteLength === 0) throw invalidInput("options.tensor", "be a tensor with bytes");
  return { offset: tensor.byteOffset, byteLength: tensor.byteLength };
}

/**
 * Verifies the blocks that a range touches, where they lie and that they hash up to the sealed digest. What does not is verified whole.
 * @throws VramError as `verifyShard`
 */
export async function verifyShardRange(worker: Worker, shard: LiveShard, range: ByteRange, signal: AbortSignal | undefined): Promise<void> {
  assertNotAborted(signal);
  const statement = await checkSeal(worker, shard.seal, shard.shardId);
  await checkAge(worker, shard.shardId, statement);
  const { offset, byteLength: length } = range;
  const read = () => tracedOn(shard, "digest", () => shard.allocation.inspectRange({ offset, length }, signal === undefined ? {} : { signal }), length);
  if ((await readDigest(worker, shard, { read, signal })) === statement.digest) return;
  // Whoever gives up now: what was found is followed to its end.
  const { report } = await verifyShard(shard, undefined);
  await keepGoodTree(worker, shard, report.digest);
}

/** For memory that was good a moment ago: what can locate damage is kept, for a tree made of damaged memory could not. */
async function keepGoodTree(worker: Worker, shard: LiveShard, expectedDigest: string): Promise<void> {
  if ((await locateDamage(shard)) !== undefined) return;
  const actualDigest = await readOrRefuse(worker, shard, { read: () => shard.allocation.digest({ keepTree: true }) });
  if (actualDigest !== expectedDigest) throw await refuse(worker, { shardId: shard.shardId, reason: "digest", expectedDigest, actualDigest });
}
