import { invalidConfig } from "../errors.js";
import { dashboardPage } from "./dashboard/load-page.js";
import { EventFeed } from "./event-feed.js";
import { startServer } from "./http-server.js";
import type { MetricsSource } from "./service-view.js";
import type { WebParts } from "./web.js";

/** What the command serves with. */
export const webParts: WebParts<EventFeed> = {
  openMetrics,
  openFeed: (dir, linesBefore) => new EventFeed({ dir, linesBefore }),
  startServer: (options) => startServer({ ...options, page: dashboardPage }),
};

/** @throws VramError `INVALID_CONFIG` where prom-client, an optional peer, is not installed */
async function openMetrics(): Promise<MetricsSource> {
  const { collectMetrics } = await import("../metrics.js").catch((cause: unknown) => {
    throw invalidConfig("config.serve", "be absent where prom-client is not installed; run: npm install prom-client", cause);
  });
  return collectMetrics();
}
