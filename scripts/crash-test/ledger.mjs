// What one log's writers were promised, and whether the log keeps it.
import { openAuditLog, readAuditEvents, verifyAuditLog } from "../../packages/vram-audit/dist/index.js";

export class Ledger {
  /** Events that were acknowledged; of these, those neither in the log nor recorded as removed, and those recorded. */
  acknowledged = 0;
  lost = 0;
  retired = 0;
  /** Rotations seen in the log; one that was removed between two looks is not. */
  rotations = 0;
  #promised = new Map();
  #seen = 0;

  constructor(dir) {
    this.dir = dir;
  }

  /** Opens the log again after a kill, as the next writer would, and answers what is wrong with it. */
  async judge({ session, ready, acknowledged }) {
    for (const line of acknowledged) {
      const [sequence, shardId] = line.split(" ");
      this.#promised.set(Number(sequence), shardId);
    }
    this.acknowledged += acknowledged.length;
    const log = await openAuditLog({ dir: this.dir });
    await log.close();
    const { ok, problems, removed } = await verifyAuditLog({ dir: this.dir });
    const told = await this.#read(removed);
    const missing = this.#settle(removed, told.shards);
    this.lost += missing.length;
    return [
      ...(ok ? [] : problems.map(({ line, message }) => `line ${line} ${message}`)),
      ...missing.slice(0, 1).map((sequence) => `${missing.length} acknowledged events are lost, the first is ${sequence}`),
      ...(ready && told.live !== `live-${session}` ? [`the live shard of the writer is told as ${JSON.stringify(told.live)}`] : []),
    ];
  }

  /** Reads the lines that are there: the shard of each, and those that the last recovery says were live. */
  async #read(removed) {
    const shards = new Map();
    let live;
    let expected = removed + 1;
    for await (const { type, sequence, subject, data } of readAuditEvents({ dir: this.dir })) {
      if (Number(sequence) !== expected) throw new Error(`line ${expected} has the number ${sequence}`);
      expected += 1;
      if (type === "vram.audit.rotated" && Number(sequence) > this.#seen) this.rotations += 1;
      if (type === "vram.audit.recovered") live = data.liveShards.join();
      if (subject !== undefined) shards.set(Number(sequence), subject);
    }
    this.#seen = expected - 1;
    return { shards, live };
  }

  /** The numbers of acknowledged events that are not where they should be. Those recorded as removed need not be looked for again. */
  #settle(removed, shards) {
    const missing = [];
    for (const [sequence, shardId] of this.#promised) {
      if (sequence > removed) {
        if (shards.get(sequence) !== shardId) missing.push(sequence);
      } else {
        this.retired += 1;
        this.#promised.delete(sequence);
      }
    }
    return missing;
  }
}
