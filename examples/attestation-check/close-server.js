// @ts-check
import { once } from "node:events";

/**
 * Takes no more connections, and waits for the requests that run; what then is still half sent or half read is cut off.
 * @param {import("node:http").Server} server
 * @param {number} graceMs
 */
export async function closeServer(server, graceMs) {
  const closed = once(server, "close");
  server.close();
  const late = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(late);
}
