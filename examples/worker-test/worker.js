// @ts-check
import { generate, openResidency } from "vram-residency";

/** @typedef {(lease: import("vram-residency").Lease, input: Float32Array) => Float32Array | Promise<Float32Array>} Engine */

/**
 * What the worker is made of: in production the engine, the model and where the log lies; a test gives a driver, too.
 * @typedef {object} WorkerOptions
 * @property {string} model
 * @property {string} sha256
 * @property {import("vram-residency").AuditLog} audit
 * @property {Engine} engine
 * @property {import("vram-residency").DriverSource} [driver]
 * @property {import("vram-residency").PolicyOptions} [policy]
 */

/** Computes with an engine on a model that is sealed in device memory. */
export class Worker {
  #residency;
  #shard;
  #engine;

  /**
   * @param {import("vram-residency").Residency} residency
   * @param {import("vram-residency").SealedShard} shard
   * @param {Engine} engine
   */
  constructor(residency, shard, engine) {
    this.#residency = residency;
    this.#shard = shard;
    this.#engine = engine;
  }

  /**
   * @param {WorkerOptions} options
   * @throws VramError what the machine or the model was refused for; nothing is left in device memory
   */
  static async open({ model, sha256, audit, engine, driver, policy }) {
    const residency = await openResidency({
      workerId: "worker-7",
      sealKey: await generate(),
      audit,
      policy: { requireExpected: true, ...policy },
      ...(driver && { driver }),
    });
    try {
      return new Worker(residency, await residency.seal(model, { expect: { sha256 } }), engine);
    } catch (error) {
      // The refusal is what counts, whatever closing meets.
      await residency.close().catch(() => undefined);
      throw error;
    }
  }

  get state() {
    return this.#residency.state;
  }

  /**
   * @param {Float32Array} input
   * @throws VramError what the weights were refused for; the engine was not called
   */
  async run(input) {
    return this.#residency.execute(this.#shard, (lease) => this.#engine(lease, input));
  }

  /** Wipes the weights, and closes the log. */
  async close() {
    await this.#residency.close();
  }
}
