import type { StoredEvent } from "../events/line.js";
import { LiveShards } from "../events/live-shards.js";
import type { CheckedLine } from "../events/routine-line.js";
import type { VerifierKey } from "../note/verifier-key.js";
import type { ProblemList } from "./problem-list.js";

/** Follows the sessions of a log: each begins with `vram.audit.opened`, and nothing but the next follows its end. */
export class SessionCheck {
  readonly #live = new LiveShards();
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

  get live(): LiveShards {
    return this.#live;
  }

  /** Whether every line is about the log itself. */
  get ownOnly(): boolean {
    return this.#ownOnly;
  }

  /** The line that opened the last session in which a worker wrote; 0 when none has. Its writer had it signed first. */
  get usedSession(): number {
    return this.#usedSession;
  }

  check(line: number, { envelope, event }: CheckedLine): void {
    const type = envelope?.type;
    if ((line === 1 || this.#closed) && type !== "vram.audit.opened") this.problems.add(line, "session");
    this.#closed = type === "vram.audit.closed";
    if (type === "vram.audit.opened") this.#opened = line;
    if (!(type?.startsWith("vram.audit.") ?? false)) {
      this.#ownOnly = false;
      this.#usedSession = this.#opened;
    }
    if (event === undefined) return;
    this.#live.follow(event);
    this.#checkKey(line, event);
  }

  #checkKey(line: number, { type, data }: StoredEvent): void {
    const { key } = this;
    if (key === undefined || (type !== "vram.audit.opened" && type !== "vram.audit.rotated")) return;
    const keyName = "keyName" in data ? data.keyName : data.origin;
    const ours = data.publicKey === key.bytes.toString("base64") && keyName === key.name && data.origin === key.name;
    if (!ours) this.problems.add(line, "key");
  }
}
