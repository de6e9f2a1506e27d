import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { VramError } from "../errors.js";
import { toVramError } from "../errors.js";
import type { Scrubber } from "../scrubber.js";
import type { SealedShard } from "../shard.js";
import type { HoldConfig } from "./config.js";
import { Holdings } from "./holdings.js";
import type { SealingOptions } from "./holdings.js";
import { statusField, reloadingFields } from "./notifier.js";
import type { Notifier } from "./notifier.js";
import { scrubOptions } from "./open-parts.js";
import type { OpenedResidency } from "./open-parts.js";
import { assertReloadable, openOtherKey, rotateTo } from "./reload.js";
import { HoldView } from "./service-view.js";
import type { ServiceState } from "./service-state.js";
import type { Feed, Web } from "./web.js";

/** What a service tells people, a line each. */
export interface Teller {
  say(line: string): void;
  /** A notice that must be seen. */
  notice(line: string): void;
}

export interface ServiceParts {
  readonly opened: OpenedResidency;
  readonly web: Web<Feed> | undefined;
  readonly notifier: Notifier;
  readonly teller: Teller;
  /** Fires when the service is to end. */
  readonly signal: AbortSignal;
  readonly onProgress?: SealingOptions["onProgress"];
  /** Reads the configuration again. */
  readonly readConfig: () => Promise<HoldConfig>;
}

/** Holds what its configuration lists until it is told to end, or the worker stops. */
export class HoldService {
  readonly #parts: ServiceParts;
  readonly #holdings: Holdings;
  #config: HoldConfig;
  #keyId: string;
  #scrubber: Scrubber | undefined;
  #isSealed = false;
  #isClosing = false;
  #stopped: VramError | undefined;
  /** Reloads run one after another, and none before everything is sealed. */
  #lastReload: Promise<void> = Promise.resolve();

  constructor(config: HoldConfig, parts: ServiceParts) {
    this.#parts = parts;
    this.#config = config;
    this.#keyId = parts.opened.keyId;
    this.#holdings = new Holdings(parts.opened.residency);
  }

  get shards(): readonly SealedShard[] {
    return this.#holdings.shards;
  }

  get state(): ServiceState {
    if (this.#isClosing) return "closing";
    if (this.#parts.opened.residency.state !== "ready") return "stopped";
    return this.#isSealed ? "ready" : "sealing";
  }

  /**
   * Serves, seals, scrubs, and resolves when it is told to end.
   * @throws VramError what a model was refused for, or what the worker stopped for
   */
  async run(): Promise<void> {
    const { opened: { residency }, signal } = this.#parts;
    const begun = this.#begin();
    this.#lastReload = begun.catch(() => undefined);
    try {
      await begun;
      await untilAborted(signal, residency.signal);
    } catch (error) {
      if (residency.state === "ready" || signal.aborted) throw error;
    }
    if (residency.state !== "ready") await this.#endStopped();
  }

  /** Takes over the configuration as it is now, or says why not. Those that are asked for meanwhile follow. */
  reload(): void {
    this.#lastReload = this.#lastReload.then(() => this.#reload());
  }

  /** Stops attesting and ends a reload, wipes every shard, closes the audit trail, and last the server. */
  async close(): Promise<void> {
    const { opened, web, notifier } = this.#parts;
    this.#isClosing = true;
    this.#announce();
    await notifier.tell("STOPPING=1");
    await this.#lastReload;
    try {
      await opened.residency.close();
    } finally {
      await web?.close();
      await notifier.close();
    }
  }

  #isEnding(): boolean {
    return this.#parts.signal.aborted;
  }

  get #sealing(): SealingOptions {
    const { signal, onProgress, teller } = this.#parts;
    return {
      signal,
      ...(onProgress && { onProgress }),
      onSealed: (shards) => {
        for (const shard of shards) {
          const { shardId, backend, vramBytes, digest } = shard.toJSON();
          teller.say(`Sealed ${shardId}: ${vramBytes} bytes, sha256:${digest}, backend ${backend}.`);
        }
      },
    };
  }

  async #begin(): Promise<void> {
    const { teller, notifier } = this.#parts;
    await this.#startServer();
    await this.#holdings.seal(this.#config.models, this.#sealing);
    this.#startScrub();
    this.#isSealed = true;
    this.#announce();
    teller.say(this.#summary());
    await notifier.tell("READY=1", statusField(this.#summary()));
  }

  async #startServer(): Promise<void> {
    const { opened: { residency }, web, teller } = this.#parts;
    if (web === undefined) return;
    const view = new HoldView({
      residency,
      metrics: web.metrics,
      state: () => this.state,
      stopped: () => this.#stopped,
      shards: () => this.shards,
      damage: () => web.damage,
    });
    teller.say(`Serving at ${await web.start(this.#config.audit.dir, view)}.`);
  }

  #startScrub(): void {
    const { scrub } = this.#config;
    this.#scrubber = scrub === false ? undefined : this.#parts.opened.residency.startScrub(scrubOptions(scrub));
  }

  #announce(): void {
    this.#parts.web?.announce(this.state);
  }

  #summary(): string {
    const { usedBytes, totalBytes } = this.#parts.opened.residency.capacity();
    return `Holding ${this.shards.length} shards in ${usedBytes} of ${totalBytes} bytes. SIGTERM or Ctrl-C wipes them and ends.`;
  }

  /** Wipes at once, and stays to be seen for a while where somebody can look. @throws VramError what the worker stopped for */
  async #endStopped(): Promise<never> {
    const { opened: { residency }, web, notifier, teller, signal } = this.#parts;
    const stopped = toVramError(residency.signal.reason);
    this.#stopped = stopped;
    this.#announce();
    await this.#holdings.wipe();
    const { lingerSeconds } = this.#config;
    if (web !== undefined && lingerSeconds > 0) {
      teller.notice(`The worker stopped (${stopped.code}) and every shard is wiped. It is served for ${lingerSeconds} s more, or until a signal.`);
      await notifier.tell(statusField(`Stopped: ${stopped.code}`));
      await delay(lingerSeconds * 1000, undefined, { signal }).catch(() => undefined);
    }
    throw stopped;
  }

  async #reload(): Promise<void> {
    const { notifier, teller } = this.#parts;
    if (this.state !== "ready" || this.#isEnding()) return;
    await notifier.tell(...reloadingFields());
    try {
      await this.#apply(await this.#parts.readConfig());
      teller.notice(`Reloaded. ${this.#summary()}`);
    } catch (error) {
      const { code, message } = toVramError(error);
      teller.notice(`NOT RELOADED: ${code}: ${message}`);
    }
    if (!this.#isEnding()) await notifier.tell("READY=1", statusField(this.#summary()));
  }

  /** What is refused leaves the rest as it was: the key comes first, since its change says aloud that it is made. */
  async #apply(next: HoldConfig): Promise<void> {
    assertReloadable(this.#config, next);
    await this.#changeSealKey(next);
    await this.#changeModels(next);
    const isScrubChanged = !isDeepStrictEqual(next.scrub, this.#config.scrub);
    this.#config = next;
    if (isScrubChanged) await this.#restartScrub();
  }

  async #changeSealKey({ sealKey }: HoldConfig): Promise<void> {
    const { opened: { residency }, teller, signal } = this.#parts;
    const key = await openOtherKey(this.#config.sealKey, sealKey, this.#keyId);
    if (key === undefined) return;
    await rotateTo(residency, key, { from: this.#keyId, shards: this.shards, signal });
    this.#keyId = key.keyId;
    this.#config = { ...this.#config, sealKey };
    teller.notice(`The seal key ${this.#keyId} signs now; every shard is sealed anew with it.`);
  }

  /** Seals what is new before anything is released: a model that cannot be sealed leaves everything as it was. */
  async #changeModels({ models }: HoldConfig): Promise<void> {
    await this.#holdings.seal(this.#holdings.missing(models), this.#sealing);
    for (const { shardId } of await this.#holdings.releaseOthers(models)) this.#parts.teller.say(`Released ${shardId}.`);
  }

  async #restartScrub(): Promise<void> {
    await this.#scrubber?.close();
    this.#startScrub();
  }
}

async function untilAborted(...signals: readonly AbortSignal[]): Promise<void> {
  // Neither a listener nor an unsettled promise keeps a process alive.
  const alive = setInterval(() => undefined, 2 ** 30);
  try {
    await Promise.race(signals.map(abortOf));
  } finally {
    clearInterval(alive);
  }
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => { resolve(); }, { once: true });
  });
}
