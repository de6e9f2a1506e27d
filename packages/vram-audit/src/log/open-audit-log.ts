import type { KeyObject } from "node:crypto";
import { basename } from "node:path";
import { consultAnchors } from "../anchor/consult-anchors.js";
import { fileUnavailable, invalidInput } from "../audit-error.js";
import type { AuditOpened } from "../events/schema.js";
import { Mirror } from "../mirror/mirror.js";
import { formatVerifierKey, rawPublicKey, type VerifierKey, verifierKey } from "../note/verifier-key.js";
import { findSegments } from "../read/log-lines.js";
import { readLogStart } from "../read/log-start.js";
import { type AuditDirectory, openAuditDirectory } from "../storage/audit-directory.js";
import { lockDirectory } from "../storage/directory-lock.js";
import { CHECKPOINT_FILE, LEAF_FILE, RESERVE_FILE } from "../storage/file-names.js";
import { publishVerifierKey } from "../storage/public-key-file.js";
import { Reserve } from "../storage/reserve.js";
import { resolveSigningKey } from "../storage/signing-key.js";
import { sha256Hex } from "../tree/sha256.js";
import type { AuditLog } from "./audit-log.js";
import { Chain } from "./chain.js";
import { DurableAuditLog } from "./durable-audit-log.js";
import { EventDesk } from "./event-desk.js";
import { type FileLayer, layeredDirectory, type LogDirectory } from "./log-directory.js";
import { type OpenAuditLogOptions, type ParsedOptions, parseOpenOptions } from "./options.js";
import { type FoundLog, recoverLog } from "./recover.js";
import { ReleaseStack } from "./release-stack.js";
import { Rotation } from "./rotation.js";

/**
 * Opens the log in a directory to write, and begins it if there is none. Every line that is there is checked first; what
 * a crash left half-written is cut, and the cut, like the shards that were live, is the new session's first event.
 *
 * @throws AuditError `INVALID_INPUT`; `AUDIT_UNAVAILABLE` when the directory or key could be someone else's, when there
 * is another writer or no room for the reserve, or when the log was altered or is not the one that an anchor keeps a
 * checkpoint of
 */
export async function openAuditLog(options: OpenAuditLogOptions): Promise<AuditLog> {
  return openAuditLogOn((file) => file, options);
}

/** {@link openAuditLog} with something between the log and its files, named by their bare names. */
export async function openAuditLogOn(layer: FileLayer, options: OpenAuditLogOptions): Promise<AuditLog> {
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
  layer: FileLayer,
  stack: ReleaseStack,
): Promise<AuditLog> {
  const lock = await lockDirectory(directory);
  stack.add(() => lock.release());
  const found = await findLog(layeredDirectory(directory, layer), stack);
  const { privateKey, key } = await resolveKey(found, directory, options);
  const consulted = await consultAnchors(options.anchors, key, found.start.tree.size);
  const { files, scan, events } = await recoverLog(found, key, consulted.flatMap(({ checkpoint }) => checkpoint ?? []), stack);
  await publishVerifierKey(directory.path, key);
  const { tree, lastHash, roots, session, retirements } = scan;
  const chain = new Chain({ files, tree, lastHash, checkpointSize: roots.latestSize, origin: key.name, privateKey, key });
  const desk = new EventDesk(key.name, session.live, options.mirror && new Mirror(options.mirror));
  const { segments } = files;
  const log = new DurableAuditLog({
    chain,
    rotation: new Rotation({ chain, segments, desk, key, rotate: options.rotate, retain: options.retain }),
    desk,
    verifierKey: formatVerifierKey(key),
    interval: options.checkpointEvery,
    anchors: consulted.map(({ anchor }) => anchor),
    release: () => stack.release(),
  });
  await log.record([openedEvent(key), ...events]);
  log.signal.throwIfAborted();
  // The last writer may have ended between the record of a removal and the removal; the record is signed by now.
  await segments.remove(segments.closed.filter(({ facts }) => facts.last <= retirements.lastRetired));
  return log;
}

async function findLog(directory: LogDirectory, stack: ReleaseStack): Promise<FoundLog> {
  const openFile = async (name: string) => {
    const file = await directory.openFile(name);
    stack.add(() => file.close());
    return file;
  };
  const [leaves, checkpoints] = [await openFile(LEAF_FILE), await openFile(CHECKPOINT_FILE)];
  const log = await findSegments(await directory.names(), (name) => directory.openFile(name));
  const reserve = await openFile(RESERVE_FILE);
  const found = { leaves, checkpoints, reserve: await Reserve.open(reserve, (await reserve.stat()).size) };
  await directory.sync();
  return { directory, log, start: await readLogStart(log), ...found };
}

/** The log's key and name: those it was begun with, or new ones for a log without lines. */
async function resolveKey({ log, start }: FoundLog, directory: AuditDirectory, options: ParsedOptions): Promise<{ privateKey: KeyObject; key: VerifierKey }> {
  const mode = log.segments.length === 1 && log.lastBytes === 0 ? "create" : "existing";
  const privateKey = await resolveSigningKey(options.signingKey, directory.path, mode);
  const publicKey = rawPublicKey(privateKey);
  const begun = start.named;
  if (begun !== undefined && begun.publicKey !== publicKey.toString("base64")) throw invalidInput("signingKey", "be the key this log was begun with");
  const origin = options.origin ?? begun?.origin ?? `vram-audit/${sha256Hex(publicKey).slice(0, 16)}`;
  if (begun !== undefined && begun.origin !== origin) throw invalidInput("origin", "be the one this log was begun with");
  return { privateKey, key: verifierKey(origin, publicKey) };
}

function openedEvent({ name, bytes }: VerifierKey): AuditOpened {
  return { type: "vram.audit.opened", severity: "info", data: { publicKey: bytes.toString("base64"), origin: name, keyName: name } };
}
