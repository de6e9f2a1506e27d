import { HttpRefusal } from "./refusal.js";

const TARGET_MAX_LENGTH = 1024;

/** A path as it was sent, and its query. */
export interface Target {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Nothing is decoded or normalised in a path: it is one of ours, character by character, or none. @throws HttpRefusal 414 */
export function parseTarget(url: string): Target {
  if (url.length > TARGET_MAX_LENGTH) throw new HttpRefusal(414, "TARGET_TOO_LONG", `a target must have at most ${TARGET_MAX_LENGTH} characters`);
  const [path = "", ...rest] = url.split("?");
  return { path, query: new URLSearchParams(rest.join("?")) };
}

/** @throws HttpRefusal 400 for a parameter that is not one of these, or is there twice */
export function assertParameters(query: URLSearchParams, known: readonly string[]): void {
  const names = [...query.keys()];
  if (names.every((name) => known.includes(name)) && new Set(names).size === names.length) return;
  const expectation = known.length === 0 ? "have no parameters" : `have no parameters but ${known.join(", ")}, once`;
  throw invalidQuery(`the query must ${expectation}`);
}

export function invalidQuery(message: string): HttpRefusal {
  return new HttpRefusal(400, "INVALID_QUERY", message);
}
