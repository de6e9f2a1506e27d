import type { ParsedLine, StoredEvent } from "../events/line.js";
import type { VerifierKey } from "../note/verifier-key.js";
import type { ProblemList } from "./problem-list.js";

/** Follows the sessions of a log: each begins with `vram.audit.opened`, and nothing but the next follows its end. */
export class SessionCheck {
  readonly #live = new Set<string>();
  #closed = false;
  #ownOnly = true;
  #opened = 0;
  #usedSession = 0;

  constructor(
    private readonly problems: ProblemList,
    private readonly key: VerifierKey | undefined,
  ) {}

  /** Whether the last line ends a session. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Shards sealed and not deallocated, in the order they were sealed. */
  get liveShards(): readonly string[] {
    return Array.from(this.#live);
  }

  /** Whether every line is about the log itself. */
  get ownOnly(): boolean {
    return this.#ownOnly;
  }

  /** The line that opened the last session in which a worker wrote; 0 when none has. Its writer had it signed first. */
  get usedSession(): number {
    return this.#usedSession;
  }

  check(line: number, { envelope, event }: ParsedLine): void {
    const type = envelope?.type;
    if ((line === 1 || this.#closed) && type !== "vram.audit.opened") this.problems.add(line, "session");
    this.#closed = type === "vram.audit.closed";
    if (type === "vram.audit.opened") this.#opened = line;
    if (!(type?.startsWith("vram.audit.") ?? false)) {
      this.#ownOnly = false;
      this.#usedSession = this.#opened;
    }
    if (event !== undefined) this.#follow(line, event);
  }

  #follow(line: number, event: StoredEvent): void {
    if (event.type === "vram.audit.opened") {
      const { publicKey, origin, keyName } = event.data;
      const { key } = this;
      const ours = key === undefined || (publicKey === key.bytes.toString("base64") && keyName === key.name && origin === key.name);
      if (!ours) this.problems.add(line, "key");
    } else if (event.type === "vram.shard.sealed") {
      this.#live.add(event.data.shardId);
    } else if (event.type === "vram.shard.deallocated") {
      this.#live.delete(event.data.shardId);
    } else if (event.type === "vram.audit.recovered") {
      for (const shardId of event.data.liveShards) this.#live.delete(shardId);
    }
  }
}
