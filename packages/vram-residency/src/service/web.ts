import { readToken } from "./open-parts.js";
import type { ServeConfig } from "./config.js";
import type { Listen } from "./listen-address.js";
import type { MetricsSource } from "./service-view.js";
import type { DamageEntry, ServiceView } from "./service-state.js";

/** Follows the audit log and hands its lines to who listens. */
export interface Feed {
  readonly damage: readonly DamageEntry[];
  announce(state: string): void;
  close(): Promise<void>;
}

export interface Server {
  /** Where it is reached, for people. */
  readonly address: string;
  close(): Promise<void>;
}

export interface ServerOptions<F extends Feed> {
  readonly listen: Listen;
  readonly token?: string;
  readonly hosts?: readonly string[];
  readonly view: ServiceView;
  readonly feed: F;
}

/** What a service is served with. */
export interface WebParts<F extends Feed = Feed> {
  openMetrics(): Promise<MetricsSource>;
  /** @param linesBefore how many lines the log has already */
  openFeed(dir: string, linesBefore: number): F;
  startServer(options: ServerOptions<F>): Promise<Server>;
}

/** The open parts of a service's server, before there is a residency to serve. */
export class Web<F extends Feed> {
  #server: Server | undefined;
  #feed: F | undefined;

  private constructor(
    private readonly parts: WebParts<F>,
    private readonly config: ServeConfig,
    readonly metrics: MetricsSource,
    private readonly token: string | undefined,
  ) {}

  /** Must be called before the residency is opened, whose opening the metrics are told. @throws SealError, VramError */
  static async prepare<F extends Feed>(parts: WebParts<F>, config: ServeConfig): Promise<Web<F>> {
    const token = config.token === undefined ? undefined : await readToken(config.token);
    return new Web(parts, config, await parts.openMetrics(), token);
  }

  get damage(): readonly DamageEntry[] {
    return this.#feed?.damage ?? [];
  }

  announce(state: string): void {
    this.#feed?.announce(state);
  }

  /** @returns where it is reached */
  async start(auditDir: string, view: ServiceView): Promise<string> {
    const { listen, hosts } = this.config;
    this.#feed = this.parts.openFeed(auditDir, view.snapshot().audit.size);
    this.#server = await this.parts.startServer({
      ...{ listen, view, feed: this.#feed },
      ...(this.token !== undefined && { token: this.token }),
      ...(hosts !== undefined && { hosts }),
    });
    return this.#server.address;
  }

  /** Ends what was started; idempotent. */
  async close(): Promise<void> {
    await this.#server?.close();
    await this.#feed?.close();
    this.metrics.close();
  }
}
