import type { SealProgress } from "../options/seal-options.js";
import type { Residency } from "../residency.js";
import type { SealedShard } from "../shard.js";
import { nameFor } from "./model-entry.js";
import type { ModelEntry } from "./model-entry.js";
import { modelRequest } from "./model-request.js";

/** A configured model and its shards. */
interface Holding {
  readonly entry: ModelEntry;
  readonly name: string;
  readonly shards: readonly SealedShard[];
}

export interface SealingOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: SealProgress) => void;
  /** Told of each model when it is sealed. */
  readonly onSealed: (shards: readonly SealedShard[]) => void;
}

/** The models that a service holds, by their entries in the configuration. */
export class Holdings {
  #holdings: readonly Holding[] = [];

  constructor(private readonly residency: Residency) {}

  get shards(): readonly SealedShard[] {
    return this.#holdings.flatMap(({ shards }) => shards);
  }

  /** The entries of a list that are not held yet. An entry that says anything else than before is a new one. */
  missing(entries: readonly ModelEntry[]): readonly ModelEntry[] {
    return remaining(entries, this.#holdings.map(({ entry }) => entry), (entry) => entry);
  }

  /**
   * Seals models one after another. All are held, or none of them.
   * @throws VramError as `residency.seal`
   */
  async seal(entries: readonly ModelEntry[], { onSealed, ...options }: SealingOptions): Promise<void> {
    const before = this.#holdings;
    try {
      for (const entry of entries) {
        const name = nameFor(entry, new Set(this.#holdings.map((each) => each.name)));
        const shards = await sealModel(this.residency, entry, name, options);
        this.#holdings = [...this.#holdings, { entry, name, shards }];
        onSealed(shards);
      }
    } catch (error) {
      await closeAll(this.#holdings.slice(before.length));
      this.#holdings = before;
      throw error;
    }
  }

  /** Releases what is in no entry of the list, and answers the shards. */
  async releaseOthers(entries: readonly ModelEntry[]): Promise<readonly SealedShard[]> {
    const gone = remaining(this.#holdings, entries, ({ entry }) => entry);
    this.#holdings = this.#holdings.filter((each) => !gone.includes(each));
    await closeAll(gone);
    return gone.flatMap(({ shards }) => shards);
  }

  /** Wipes every shard at once; they stay listed. */
  async wipe(): Promise<void> {
    await closeAll(this.#holdings);
  }
}

async function sealModel(residency: Residency, entry: ModelEntry, name: string, run: Omit<SealingOptions, "onSealed">): Promise<readonly SealedShard[]> {
  const { kind, path, options } = await modelRequest(entry, name);
  if (kind === "set") return (await residency.sealSet(path, { ...options, ...run })).shards;
  return [await residency.seal(path, { ...options, ...run })];
}

async function closeAll(holdings: readonly Holding[]): Promise<void> {
  await Promise.all(holdings.flatMap(({ shards }) => shards.map((shard) => shard.close())));
}

/** What of a list has no partner in another one, each partner counted once. */
function remaining<T>(list: readonly T[], others: readonly ModelEntry[], entryOf: (each: T) => ModelEntry): readonly T[] {
  const unmatched = others.map((entry) => JSON.stringify(entry));
  return list.filter((each) => {
    const at = unmatched.indexOf(JSON.stringify(entryOf(each)));
    if (at >= 0) unmatched.splice(at, 1);
    return at < 0;
  });
}
