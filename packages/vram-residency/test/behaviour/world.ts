import { join } from "node:path";
import { QuickPickleWorld, setWorldConstructor } from "quickpickle";
import { openAuditLog } from "vram-audit";
import type { AuditLog, StoredEvent } from "vram-audit";
import { fromWorkerToken } from "vram-seal";
import type { Seal } from "vram-seal";
import type { resetSimulator } from "vram-simulator/control";
import type { TestContext } from "vitest";
import type { OpenResidencyOptions, Residency, SealedShard, VramError } from "../../src/index.js";
import { onGpu, openWorkplace, readEvents, temporaryFolder } from "../fixture.js";

const TOKEN = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF";

/** A set, as far as the steps need it. */
interface Closable {
  close(): Promise<void>;
}

/** What a scenario has: one worker with its trail, shards by name, and how the last operation ended. */
export class SealingWorld extends QuickPickleWorld {
  /** The package's declarations name their files without extension, so that no type of theirs is known. */
  declare readonly context: TestContext;
  devices: Parameters<typeof resetSimulator>[0] = {};
  readonly shards = new Map<string, SealedShard>();
  readonly sets = new Map<string, Closable>();
  /** The seals of a worker that was closed. */
  readonly formerSeals = new Map<string, Seal>();
  readonly order: string[] = [];
  runs = 0;
  outcome: { readonly value: unknown } | { readonly error: unknown } | undefined;
  settled: readonly PromiseSettledResult<SealedShard>[] = [];
  #residency: Residency | undefined;
  #auditDir: string | undefined;

  get residency(): Residency {
    if (this.#residency === undefined) throw new Error("the scenario has no worker");
    return this.#residency;
  }

  async open(options: Partial<OpenResidencyOptions> = {}): Promise<void> {
    this.#auditDir ??= join(await temporaryFolder(), "audit");
    const audit = options.audit ?? (await openAuditLog({ dir: this.#auditDir }));
    const { residency } = await openWorkplace({ sealKey: await fromWorkerToken(TOKEN), ...options, audit }, this.devices);
    this.#residency = residency;
  }

  /** Remembers how an operation ended, whichever way. */
  async attempt(operation: () => Promise<unknown>): Promise<void> {
    try {
      this.outcome = { value: await operation() };
    } catch (error) {
      this.outcome = { error };
    }
  }

  /** Only the simulator does what comes next: on a GPU the scenario is skipped. */
  needsSimulator(): void {
    this.context.skip(onGpu);
  }

  get error(): VramError {
    if (this.outcome === undefined || !("error" in this.outcome)) throw new Error("the operation succeeded");
    return this.outcome.error as VramError;
  }

  shard(name: string): SealedShard {
    const shard = this.shards.get(name);
    if (shard === undefined) throw new Error(`the scenario has no shard ${name}`);
    return shard;
  }

  get auditDir(): string {
    if (this.#auditDir === undefined) throw new Error("the scenario has no trail");
    return this.#auditDir;
  }

  async events(type: string): Promise<StoredEvent[]> {
    return (await readEvents(this.auditDir)).filter((event) => event.type === type);
  }
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-call -- the package's declarations name their files without extension
setWorldConstructor(SealingWorld);

/** A trail that takes so many events and then fails, as a full disk does. */
export function failingAudit(allowed: number): AuditLog {
  let appended = 0;
  const full = Object.assign(new Error("disk full"), { name: "AuditError", code: "AUDIT_UNAVAILABLE", details: {} });
  return {
    append: () => {
      appended += 1;
      return appended <= allowed ? Promise.resolve({ sequence: appended, hash: "" }) : Promise.reject(full);
    },
    close: () => Promise.resolve(),
  } as unknown as AuditLog;
}
