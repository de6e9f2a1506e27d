import type { IncomingMessage } from "node:http";
import { oneHeader } from "./one-header.js";
import { HttpRefusal } from "./refusal.js";

const AUTHORITY = /^(?<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::[0-9]{1,5})?$/;
const LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"];

/**
 * Refuses what a page of another site made a browser ask: under a name of its own for this machine, or across sites. The port is not
 * judged: one that is forwarded has another number at the other end.
 * @param hosts names of this server besides those of the loopback addresses
 * @throws HttpRefusal 421, 403, 400
 */
export function assertOwnRequest(request: IncomingMessage, hosts: readonly string[]): void {
  const authority = oneHeader(request, "host")?.toLowerCase() ?? "";
  const name = AUTHORITY.exec(authority)?.groups?.["name"];
  const isOurs = name !== undefined && [...LOOPBACK_NAMES, ...hosts].some((host) => host.toLowerCase() === name);
  if (!isOurs) throw new HttpRefusal(421, "WRONG_HOST", "the Host header must be a name of this server; `hosts` of the configuration adds one");
  const site = oneHeader(request, "sec-fetch-site");
  const origin = oneHeader(request, "origin")?.toLowerCase();
  const isSameSite = site === undefined || site === "same-origin" || site === "none";
  if (!isSameSite || (origin !== undefined && origin !== `http://${authority}`)) {
    throw new HttpRefusal(403, "CROSS_SITE", "requests from other sites are refused");
  }
}
