import { resolve } from "node:path";
import { invalidInput } from "../audit-error.js";
import { parseVerifierKey, type VerifierKey, verifierKey } from "../note/verifier-key.js";
import { readPublishedKey } from "../storage/public-key-file.js";
import type { LogStart } from "./log-start.js";

/** `option`: the caller's own; `pub-file`: the file beside the directory; `log`: the log's first event. */
export type VerifierKeySource = "option" | "pub-file" | "log";

export interface ResolvedKey {
  readonly key: VerifierKey;
  readonly keyFrom: VerifierKeySource;
}

const RAW_KEY = /^[A-Za-z0-9+/]{43}=$/;

/**
 * The most trustworthy key there is; undefined when nothing names one.
 * @throws AuditError `INVALID_INPUT` when `given` is not a public key
 */
export async function resolveVerifierKey(dir: string, { named }: LogStart, given: string | undefined): Promise<ResolvedKey | undefined> {
  const published = await readPublishedKey(resolve(dir));
  const key = given === undefined ? undefined : parseGivenKey(given, published?.name ?? named?.origin);
  if (key !== undefined) return { key, keyFrom: "option" };
  if (given !== undefined) return undefined;
  if (published !== undefined) return { key: published, keyFrom: "pub-file" };
  return named && { key: verifierKey(named.origin, Buffer.from(named.publicKey, "base64")), keyFrom: "log" };
}

/**
 * The key in `options.publicKey`. A raw key has no name of its own; the signatures cover it, so it may come from the log.
 * @throws AuditError `INVALID_INPUT`
 */
export function parseGivenKey(given: string, name: string | undefined): VerifierKey | undefined {
  const text = given.trim();
  if (RAW_KEY.test(text)) return name === undefined ? undefined : verifierKey(name, Buffer.from(text, "base64"));
  const key = parseVerifierKey(text);
  if (key === undefined) throw invalidInput("options.publicKey", "be a C2SP verifier key or 32 bytes in base64");
  return key;
}
