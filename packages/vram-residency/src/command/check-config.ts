import { basename } from "node:path";
import { checkAuditDirectory } from "vram-audit";
import { invalidInput, toVramError } from "../errors.js";
import { parseSealOptions, parseSealSetOptions } from "../options/seal-options.js";
import { openToRead } from "../source/file-source.js";
import { listSetFiles } from "../set-source.js";
import type { HoldConfig } from "../service/config.js";
import { nameFor } from "../service/model-entry.js";
import type { ModelEntry } from "../service/model-entry.js";
import { modelRequest } from "../service/model-request.js";
import { anchorOf, openSealKey, readToken } from "../service/open-parts.js";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Output } from "./output.js";

interface Finding {
  readonly field: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Looks at everything that a configuration names, without a GPU and without changing anything, and tells what it finds. */
export async function checkConfig(config: HoldConfig, output: Output): Promise<ExitCode> {
  const findings: Finding[] = [];
  for (const [field, look] of looks(config)) findings.push(await finding(field, look));
  for (const { field, ok, detail } of findings) output.say(`${ok ? "ok    " : "FAILED"} ${field}: ${detail}`);
  const ok = findings.every((each) => each.ok);
  output.say(ok ? "The configuration is good." : "The configuration cannot be held.");
  output.result({ ok, findings });
  return ok ? EXIT.good : EXIT.failed;
}

type Look = () => Promise<string>;

function looks({ sealKey, audit, models, scrub, serve }: HoldConfig): readonly (readonly [string, Look])[] {
  const names = new Set<string>();
  return [
    ["sealKey", () => lookAtKey(sealKey)],
    ["audit.dir", () => checkAuditDirectory(audit.dir).then(() => "can be written to")],
    ...audit.anchors.map((anchor, index) => [`audit.anchors.${index}`, () => lookAtAnchor(anchor)] as const),
    ...models.map((entry, index) => [`models.${index}`, () => lookAtModel(entry, names)] as const),
    ["scrub", () => Promise.resolve(scrub === false ? "never" : `everything once in ${scrub.periodSeconds} s`)],
    ...(serve === undefined ? [] : [["serve", () => lookAtServe(serve)] as const]),
  ];
}

async function finding(field: string, look: Look): Promise<Finding> {
  try {
    return { field, ok: true, detail: await look() };
  } catch (error) {
    const { code, message } = toVramError(error);
    return { field, ok: false, detail: `${code}: ${message}` };
  }
}

async function lookAtKey(sealKey: HoldConfig["sealKey"]): Promise<string> {
  if (sealKey.ephemeral === true) return "a random key that ends with the process";
  const key = await openSealKey(sealKey);
  await key.close();
  return `key ${key.keyId}`;
}

function lookAtAnchor(anchor: HoldConfig["audit"]["anchors"][number]): Promise<string> {
  return new Promise((resolve) => { resolve(`"${anchorOf(anchor).name}" would be given each checkpoint`); });
}

async function lookAtModel(entry: ModelEntry, names: Set<string>): Promise<string> {
  const name = nameFor(entry, names);
  if (names.has(name)) throw invalidInput("shardId", "name each model once");
  names.add(name);
  const { kind, path, options } = await modelRequest(entry, name);
  const files = kind === "set" ? await listSetFiles(path) : [path];
  const approval = kind === "set" ? parseSealSetOptions(options).expect : parseSealOptions(options).expect;
  let byteLength = 0;
  for (const file of files) {
    byteLength += await lookAtFile(file);
    if (typeof approval === "function") approval(basename(file));
  }
  return `${name}: ${files.length} files, ${byteLength} bytes, ${entry.expect === undefined ? "nothing approved" : "with what was approved"}`;
}

/** @returns its length in bytes */
async function lookAtFile(path: string): Promise<number> {
  const handle = await openToRead(path);
  try {
    const facts = await handle.stat();
    if (!facts.isFile() || facts.size === 0) throw invalidInput("source", "be a regular file that is not empty");
    return facts.size;
  } finally {
    await handle.close();
  }
}

async function lookAtServe({ listen, token }: NonNullable<HoldConfig["serve"]>): Promise<string> {
  if (token !== undefined) await readToken(token);
  return `${"socketPath" in listen ? "a Unix socket" : `${listen.host} port ${listen.port}`}, ${token === undefined ? "no token" : "with a token"}`;
}
