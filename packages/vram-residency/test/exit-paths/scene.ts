import { join } from "node:path";
import { openAuditLog } from "vram-audit";
import type { AuditLog, StoredEvent } from "vram-audit";
import { generate } from "vram-seal";
import type { SealKey } from "vram-seal";
import { hashNatively, loseDevice, resetSimulator } from "vram-simulator/control";
import { onTestFinished } from "vitest";
import { openResidency } from "../../src/index.js";
import type { Lease, OpenResidencyOptions, Residency, SealedSet, SealedShard } from "../../src/index.js";
import { backend, lockedKey, patternBytes, readEvents, refusal, temporaryFolder, watchedKey } from "../fixture.js";
import { LOST } from "./row.js";

const BYTES = patternBytes(9000);
/** The name of operations that a scene has beside the one that is looked at. */
const ELSEWHERE = { correlationId: "elsewhere" };

/** A worker on the simulator with a trail on disk, and what the operation that is looked at is given. */
export class Scene {
  readonly controller = new AbortController();
  /** Runs before the seal key makes or verifies a MAC. */
  onKey: () => unknown = () => undefined;
  /** Runs in the middle of a load. */
  onLoad: () => unknown = () => undefined;
  /** Runs for every checkpoint that the trail gives to its anchor. */
  onCheckpoint: () => unknown = () => undefined;
  options: object = {};
  source: unknown = this.#stream();
  sources: unknown = [BYTES, this.#stream()];
  target: unknown;
  fn: (lease: Lease) => unknown = () => "done";
  key: unknown;
  keyId = "";
  #residency: Residency | undefined;
  #shards: readonly SealedShard[] = [];

  private constructor(
    readonly auditDir: string,
    readonly audit: AuditLog,
    readonly sealKey: SealKey,
    readonly opening: Partial<OpenResidencyOptions>,
  ) {}

  static async make(opening: Partial<OpenResidencyOptions> = {}): Promise<Scene> {
    resetSimulator();
    hashNatively(true);
    const auditDir = join(await temporaryFolder(), "audit");
    const keep = async (): Promise<void> => {
      await scene.onCheckpoint();
    };
    const audit = await openAuditLog({ dir: auditDir, anchors: [{ name: "anchor", required: true, keep }] });
    const sealKey = watchedKey(lockedKey(await generate(), true), () => scene.onKey());
    const scene: Scene = new Scene(auditDir, audit, sealKey, opening);
    return scene;
  }

  get residency(): Residency {
    if (this.#residency === undefined) throw new Error("the scene has no worker");
    return this.#residency;
  }

  get state(): Residency["state"] | "not open" {
    return this.#residency?.state ?? "not open";
  }

  get shards(): readonly [SealedShard, ...SealedShard[]] {
    const [first, ...others] = this.#shards;
    if (first === undefined) throw new Error("the scene has no shard");
    return [first, ...others];
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  async open(): Promise<void> {
    const { audit, sealKey, opening } = this;
    const residency = await openResidency({ workerId: "worker", ...backend, sealKey, audit, ...opening });
    onTestFinished(async () => {
      // Spares the wipes, which take most of the time.
      loseDevice(LOST);
      await Promise.allSettled([residency.close()]);
    });
    this.#residency = residency;
  }

  async seal(shardId: string): Promise<SealedShard> {
    const shard = await this.residency.seal(BYTES, { shardId });
    this.#shards = [shard];
    return shard;
  }

  async sealSet(setId: string): Promise<SealedSet> {
    const set = await this.residency.sealSet([BYTES, BYTES], { setId });
    this.#shards = set.shards;
    return set;
  }

  /** Another operation finds damage, which stops the worker. */
  async stopElsewhere(): Promise<void> {
    await refusal(this.residency.verify({ statement: "", mac: "" }, ELSEWHERE));
  }

  executeElsewhere<T>(fn: () => T | PromiseLike<T>): Promise<T> {
    return this.residency.execute(this.shards, fn, ELSEWHERE);
  }

  /** What the trail on disk has behind its first lines, without the log's own events and those of other operations. */
  async trailBehind(lines: number): Promise<string[]> {
    const events = (await readEvents(this.auditDir)).slice(lines);
    return events.filter(({ type, correlationid }) => !type.startsWith("vram.audit.") && correlationid !== ELSEWHERE.correlationId).map(told);
  }

  #stream(): AsyncIterable<Uint8Array> & { readonly byteLength: number } {
    const chunks = async function* (scene: Scene): AsyncGenerator<Uint8Array> {
      yield BYTES.subarray(0, 5000);
      await scene.onLoad();
      yield BYTES.subarray(5000);
    };
    return Object.assign(chunks(this), { byteLength: BYTES.length });
  }
}

const FIELDS = ["stage", "shardId", "reason", "state", "code", "cause"];

/** An event in one line: its severity, its type, and what decides of its fields. */
function told({ severity, type, data }: StoredEvent): string {
  const fields = data as Record<string, unknown>;
  const words = FIELDS.filter((name) => Object.hasOwn(fields, name)).map((name) => String(fields[name]));
  const violated = (fields["violations"] as { readonly rule: string }[] | undefined)?.map(({ rule }) => rule) ?? (fields["rules"] as string[] | undefined) ?? [];
  return [severity, type.replace("vram.", ""), ...words, ...violated, ...memoryOf(fields)].join(" ");
}

function memoryOf({ wiped, lost }: Record<string, unknown>): string[] {
  if (wiped === undefined) return [];
  return [wiped === true ? "wiped" : "not wiped", ...(lost === true ? ["lost"] : [])];
}
