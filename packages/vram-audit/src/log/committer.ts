import { type AuditError, fileUnavailable, unavailable } from "../audit-error.js";
import { isDiskFull } from "../storage/append-file.js";
import { LOG_NAME } from "../storage/file-names.js";
import type { Receipt } from "./audit-log.js";
import type { Chain } from "./chain.js";
import type { PreparedEvent } from "./event-desk.js";
import type { Rotation } from "./rotation.js";

/** When a checkpoint is due besides after critical events and at the end. */
export interface CheckpointInterval {
  readonly events: number;
  readonly milliseconds: number;
}

export interface Submission extends PreparedEvent {
  readonly urgency: "checkpoint" | "ordinary";
}

interface Waiting extends Submission {
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: AuditError) => void;
}

/** What is done a while after events, if they have not brought it about. */
type Due = "checkpoint" | "leaves";

interface Written {
  readonly waiting: Waiting;
  readonly receipt: Receipt;
}

/** How long leaf hashes wait for company. */
const LEAVES_DELAY_MS = 10;
const WAITING_EVENTS_MAX = 65_536;
const WAITING_BYTES_MAX = 67_108_864;
const BATCH_BYTES_MAX = 4_194_304;

/** Group commit: whatever waits when the disk is free goes in one write and one sync. */
export class Committer {
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | undefined;
  readonly #timers = new Map<Due, NodeJS.Timeout>();
  readonly #due = new Set<Due>();
  #failure: AuditError | undefined;
  /** Set once the disk was full: from then on only urgent events are taken, as long as there is room for them. */
  #full: AuditError | undefined;

  constructor(
    private readonly chain: Chain,
    private readonly interval: CheckpointInterval,
    private readonly rotation: Rotation,
    private readonly onFailure: (error: AuditError) => void,
  ) {}

  /** Why ordinary events are refused. */
  get failure(): AuditError | undefined {
    return this.#failure ?? this.#full;
  }

  submit(submission: Submission): Promise<Receipt> {
    const refusal = isUrgent(submission) ? this.#failure : this.failure;
    if (refusal !== undefined) return Promise.reject(refusal);
    const { draft, moment, onDurable, urgency } = submission;
    const bytes = this.#waitingBytes + draft.byteLength;
    if (this.#waiting.length >= WAITING_EVENTS_MAX || bytes > WAITING_BYTES_MAX) {
      return Promise.reject(unavailable("backlog", "too many audit events wait for the disk"));
    }
    this.#waitingBytes = bytes;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ draft, moment, onDurable, urgency, resolve, reject });
      this.#start();
    });
  }

  /** Ends writing for good, but for what is being written now. */
  fail(error: AuditError): void {
    this.#fail(error, []);
  }

  /** Resolves when nothing is being written and no timer will write. */
  async settle(): Promise<void> {
    this.#cancel("checkpoint");
    this.#cancel("leaves");
    await this.#running;
  }

  #start(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // What the same turn of the event loop appends belongs to the same batch.
    await Promise.resolve();
    while (this.#failure === undefined && (this.#waiting.length > 0 || this.#due.size > 0)) await this.#commit(this.#takeBatch());
    this.#running = undefined;
    this.#schedule();
  }

  /** As much as one write may hold without passing the line at which a checkpoint is due. */
  #takeBatch(): readonly Waiting[] {
    const most = Math.max(1, this.interval.events - this.chain.uncovered);
    let bytes = 0;
    const over = this.#waiting.findIndex(({ draft }, index) => (bytes += draft.byteLength) > BATCH_BYTES_MAX && index > 0);
    const batch = this.#waiting.splice(0, over < 0 ? most : Math.min(over, most));
    for (const { draft } of batch) this.#waitingBytes -= draft.byteLength;
    return batch;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const [first] = batch;
      if (first !== undefined) await this.rotation.rotateIfDue(first.moment);
      const written = batch.length > 0 ? await this.#write(batch) : [];
      for (const { waiting, receipt } of written) if (waiting.urgency === "ordinary") waiting.resolve(receipt);
      const isCheckpointDue = this.#due.delete("checkpoint") || written.some(({ waiting }) => isUrgent(waiting)) || this.chain.uncovered >= this.interval.events;
      if (this.#due.delete("leaves") && !isCheckpointDue) await this.chain.writeLeaves();
      if (isCheckpointDue) await this.chain.checkpoint();
      for (const { waiting, receipt } of written) waiting.resolve(receipt);
      if (this.chain.reserveSpentFor !== undefined) this.#becomeFull(this.chain.reserveSpentFor, batch);
    } catch (error) {
      // While the reserve is held nothing has changed.
      if (isDiskFull(error) && this.chain.reserveSpentFor === undefined) this.#becomeFull(error, batch);
      else this.#fail(fileUnavailable(LOG_NAME, "written", error), batch);
    }
  }

  /** Writes a batch or, if there is no room for it, what of it must not be lost. */
  async #write(batch: readonly Waiting[]): Promise<readonly Written[]> {
    try {
      return withReceipts(batch, await this.chain.commit(batch, "ordinary"));
    } catch (error) {
      const urgent = batch.filter(isUrgent);
      const isRefused = isDiskFull(error) && this.chain.reserveSpentFor === undefined;
      if (!isRefused || urgent.length === 0) throw error;
      return withReceipts(urgent, await this.chain.commit(urgent, "reserve"));
    }
  }

  /** Refuses what is not answered yet and is not urgent. */
  #becomeFull(full: AuditError, batch: readonly Waiting[]): void {
    this.#full ??= full;
    this.#refuse(full, [...batch, ...this.#takeWaiting((waiting) => !isUrgent(waiting))]);
  }

  /** Refuses what is not answered yet. */
  #fail(failure: AuditError, batch: readonly Waiting[]): void {
    this.#failure ??= failure;
    this.#refuse(failure, [...batch, ...this.#takeWaiting(() => true)]);
  }

  #refuse(reason: AuditError, refused: readonly Waiting[]): void {
    for (const { reject } of refused) reject(reason);
    this.onFailure(reason);
  }

  #takeWaiting(isTaken: (waiting: Waiting) => boolean): readonly Waiting[] {
    const taken = this.#waiting.filter(isTaken);
    this.#waiting = this.#waiting.filter((waiting) => !isTaken(waiting));
    for (const { draft } of taken) this.#waitingBytes -= draft.byteLength;
    return taken;
  }

  #schedule(): void {
    const { chain, interval } = this;
    this.#remind("checkpoint", chain.uncovered > 0, interval.milliseconds);
    this.#remind("leaves", chain.hasWaitingLeaves, LEAVES_DELAY_MS);
  }

  #remind(due: Due, isOpen: boolean, milliseconds: number): void {
    if (this.#failure !== undefined || !isOpen) {
      this.#cancel(due);
    } else if (!this.#timers.has(due)) {
      const remember = () => {
        this.#timers.delete(due);
        this.#due.add(due);
        this.#start();
      };
      this.#timers.set(due, setTimeout(remember, milliseconds).unref());
    }
  }

  #cancel(due: Due): void {
    clearTimeout(this.#timers.get(due));
    this.#timers.delete(due);
  }
}

function isUrgent({ urgency }: Submission): boolean {
  return urgency === "checkpoint";
}

function withReceipts(batch: readonly Waiting[], receipts: readonly Receipt[]): readonly Written[] {
  return batch.flatMap((waiting, index) => {
    const receipt = receipts[index];
    return receipt === undefined ? [] : [{ waiting, receipt }];
  });
}
