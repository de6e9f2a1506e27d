// @ts-check
import { compute } from "./compute.js";
import { errorFields, isVramError, log } from "./log.js";

const LONGEST_DELAY_MS = 300_000;

/** @typedef {NonNullable<Awaited<ReturnType<import("./file-queue.js").FileQueue["take"]>>>} Job */

/**
 * Does jobs on a model that is sealed at the first of them: a queue without jobs holds no device memory, and where there is none free, the
 * job waits.
 */
export class JobRunner {
  #residency;
  #seal;
  #retryMs;
  /** @type {import("vram-residency").SealedShard | undefined} */
  #shard;

  /**
   * @param {import("vram-residency").Residency} residency
   * @param {{ readonly seal: () => Promise<import("vram-residency").SealedShard>, readonly retryMs: number }} options `retryMs`: the
   * delay after a first attempt; doubled after each further one
   */
  constructor(residency, { seal, retryMs }) {
    this.#residency = residency;
    this.#seal = seal;
    this.#retryMs = retryMs;
  }

  /**
   * Does a job, or gives it back.
   * @param {Job} job
   * @throws VramError where no job can be done any more; this one is left for the next worker
   */
  async run(job) {
    const { id, attempt } = job;
    let output;
    try {
      output = await this.#compute(job);
    } catch (error) {
      await this.#giveBack(job, error);
      return;
    }
    await job.done({ output });
    log("info", "job done", { id, attempt });
  }

  /** @param {Job} job */
  async #compute({ id, read }) {
    const input = toInput(JSON.parse(await read()));
    this.#shard ??= await this.#seal();
    const output = await this.#residency.execute(this.#shard, (lease) => compute(lease, input), { correlationId: id });
    return [...output];
  }

  /**
   * @param {Job} job
   * @param {unknown} error
   */
  async #giveBack(job, error) {
    const { id, attempt } = job;
    switch (this.#verdictOn(error)) {
      case "later":
        await job.retry(Math.min(this.#retryMs * 2 ** (attempt - 1), LONGEST_DELAY_MS));
        log("info", "job later", { ...errorFields(error), id, attempt });
        return;
      case "refused":
        await job.fail();
        log("error", "job refused", { ...errorFields(error), id, attempt });
        return;
      case "stop":
        await job.leave();
        throw error;
    }
  }

  /**
   * Whose fault it is: the moment's, the job's, or one that the next job would meet, too. A `caller` error is a mistake of this program or its
   * configuration, never of a job.
   * @param {unknown} error
   * @returns {"later" | "refused" | "stop"}
   */
  #verdictOn(error) {
    if (this.#residency.state !== "ready") return "stop";
    if (!isVramError(error)) return "refused";
    return error.kind === "retriable" ? "later" : "stop";
  }
}

/** @param {unknown} job */
function toInput(job) {
  const given = typeof job === "object" && job !== null && "input" in job ? job.input : undefined;
  const input = Array.isArray(given) && given.every((each) => typeof each === "number") ? Float32Array.from(given) : undefined;
  // As F32, for which 1e300 is infinite.
  if (!input?.every(Number.isFinite)) throw new TypeError("a job must have an input, a list of numbers");
  return input;
}
