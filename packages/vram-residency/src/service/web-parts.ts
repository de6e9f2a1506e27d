import { VramError } from "../errors.js";
import type { WebParts } from "./web.js";

const missing = (): never => {
  throw new VramError("INVALID_CONFIG", "config.serve must be absent: this build serves nothing");
};

export const webParts: WebParts = {
  openMetrics: () => new Promise(missing),
  openFeed: missing,
  startServer: () => new Promise(missing),
};
