import type { KeyObject } from "node:crypto";
import { basename } from "node:path";
import { consultAnchors } from "../anchor/consult-anchors.js";
import { fileUnavailable, invalidInput } from "../audit-error.js";
import type { AuditOpened } from "../events/schema.js";
import { Mirror } from "../mirror/mirror.js";
import { formatVerifierKey, rawPublicKey, type VerifierKey, verifierKey } from "../note/verifier-key.js";
import { readFirstEvent } from "../read/first-event.js";
import { type AuditDirectory, openAuditDirectory } from "../storage/audit-directory.js";
import { lockDirectory } from "../storage/directory-lock.js";
import { CHECKPOINT_FILE, LEAF_FILE, LOG_FILE } from "../storage/file-names.js";
import { publishVerifierKey } from "../storage/public-key-file.js";
import { resolveSigningKey } from "../storage/signing-key.js";
import { sha256 } from "../tree/sha256.js";
import type { AuditLog } from "./audit-log.js";
import { Chain } from "./chain.js";
import { DurableAuditLog } from "./durable-audit-log.js";
import { type OpenAuditLogOptions, type ParsedOptions, parseOpenOptions } from "./options.js";
import { type RawFile, type RawFiles, recoverLog } from "./recover.js";
import { ReleaseStack } from "./release-stack.js";

/**
 * Opens the log in a directory to write, and begins it if there is none. Every line that is there is checked first; what
 * a crash left half-written is cut, and the cut, like the shards that were live, is the new session's first event.
 *
 * @throws AuditError `INVALID_INPUT`; `AUDIT_UNAVAILABLE` when the directory or key could be someone else's, when there
 * is another writer, or when the log was altered or is not the one that an anchor keeps a checkpoint of
 */
export async function openAuditLog(options: OpenAuditLogOptions): Promise<AuditLog> {
  return openAuditLogOn((file) => file, options);
}

/** {@link openAuditLog} with something between the log and its files, named by their bare names. */
export async function openAuditLogOn(layer: (file: RawFile, name: string) => RawFile, options: OpenAuditLogOptions): Promise<AuditLog> {
  const parsed = parseOpenOptions(options);
  const stack = new ReleaseStack();
  try {
    const directory = await openAuditDirectory(parsed.dir);
    stack.add(() => directory.close());
    return await openIn(directory, parsed, layer, stack);
  } catch (error) {
    await stack.release();
    throw fileUnavailable(basename(parsed.dir), "opened", error);
  }
}

async function openIn(
  directory: AuditDirectory,
  options: ParsedOptions,
  layer: (file: RawFile, name: string) => RawFile,
  stack: ReleaseStack,
): Promise<AuditLog> {
  const lock = await lockDirectory(directory);
  stack.add(() => lock.release());
  const openFile = async (name: string): Promise<RawFile> => {
    const file = await directory.openFile(name);
    stack.add(() => file.close());
    return layer(file, name);
  };
  const raw: RawFiles = { log: await openFile(LOG_FILE), leaves: await openFile(LEAF_FILE), checkpoints: await openFile(CHECKPOINT_FILE) };
  await directory.sync();
  const { privateKey, key } = await resolveKey(raw, directory, options);
  const consulted = await consultAnchors(options.anchors, key);
  const { files, scan, events } = await recoverLog(raw, key, consulted.flatMap(({ checkpoint }) => checkpoint ?? []));
  await publishVerifierKey(directory.path, key);
  const { tree, lastHash, roots } = scan;
  const log = new DurableAuditLog({
    chain: new Chain({ files, tree, lastHash, checkpointSize: roots.latestSize, origin: key.name, privateKey, key }),
    origin: key.name,
    verifierKey: formatVerifierKey(key),
    interval: options.checkpointEvery,
    mirror: options.mirror && new Mirror(options.mirror),
    anchors: consulted.map(({ anchor }) => anchor),
    release: () => stack.release(),
  });
  await log.record([openedEvent(key), ...events]);
  return log;
}

/** The log's key and name: those it was begun with, or new ones for a log without lines. */
async function resolveKey(raw: RawFiles, directory: AuditDirectory, options: ParsedOptions): Promise<{ privateKey: KeyObject; key: VerifierKey }> {
  const mode = (await raw.log.stat()).size === 0 ? "create" : "existing";
  const privateKey = await resolveSigningKey(options.signingKey, directory.path, mode);
  const publicKey = rawPublicKey(privateKey);
  const begun = await readFirstEvent(raw.log);
  if (begun !== undefined && begun.publicKey !== publicKey.toString("base64")) throw invalidInput("signingKey", "be the key this log was begun with");
  const origin = options.origin ?? begun?.origin ?? `vram-audit/${sha256(publicKey).toString("hex").slice(0, 16)}`;
  if (begun !== undefined && begun.origin !== origin) throw invalidInput("origin", "be the one this log was begun with");
  return { privateKey, key: verifierKey(origin, publicKey) };
}

function openedEvent({ name, bytes }: VerifierKey): AuditOpened {
  return { type: "vram.audit.opened", severity: "info", data: { publicKey: bytes.toString("base64"), origin: name, keyName: name } };
}
