import type { ServerResponse } from "node:http";
import type { EventFeed } from "../event-feed.js";
import type { FeedEvent } from "../event-subscription.js";
import { SECURITY_HEADERS } from "./reply.js";
import { busy } from "./refusal.js";
import type { ServerLimits } from "./server-limits.js";

const RECONNECT_MS = 500;
const RETRY_AFTER_SECONDS = 5;

/** The event streams of a server. What a client does not take is not read from the feed: one line at most waits for it in this process. */
export class EventStreams {
  readonly #responses = new Set<ServerResponse>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor(
    private readonly feed: EventFeed,
    private readonly limits: ServerLimits,
  ) {
    this.#heartbeat = setInterval(() => { this.#beat(); }, limits.heartbeatMs).unref();
  }

  /** Answers with the events behind the line `after`. @throws HttpRefusal 503 when there are too many streams */
  open(response: ServerResponse, after: number | undefined): void {
    if (this.#responses.size >= this.limits.streams) throw busy(`${this.limits.streams} clients watch already`, RETRY_AFTER_SECONDS);
    this.#responses.add(response);
    response.writeHead(200, { ...SECURITY_HEADERS, "Content-Type": "text/event-stream; charset=utf-8" });
    response.write(`retry: ${RECONNECT_MS}\n\n`);
    const pump = (): void => {
      while (!response.writableNeedDrain) {
        const event = subscription.take();
        if (event === undefined) return;
        response.write(eventText(event));
      }
    };
    const subscription = this.feed.subscribe({ after, onReady: pump });
    response.on("drain", pump);
    response.on("close", () => {
      this.feed.unsubscribe(subscription);
      this.#responses.delete(response);
    });
    pump();
  }

  /** Ends every stream. */
  close(): void {
    clearInterval(this.#heartbeat);
    for (const response of this.#responses) response.end(eventText({ event: "state", data: '{"state":"closing"}' }));
  }

  #beat(): void {
    for (const response of this.#responses) if (!response.writableNeedDrain) response.write(":\n\n");
  }
}

/** Neither a line of the log nor other JSON has a line end in it. */
function eventText({ event, id, data }: FeedEvent): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}
