import { isUtf8 } from "node:buffer";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileErrorCode } from "../file-error.js";
import { VramError, invalidConfig } from "../errors.js";
import { JsonReader } from "../model/json-reader.js";
import { parseConfig } from "./config.js";
import type { HoldConfig } from "./config.js";

const MAX_BYTES = 1024 * 1024;
const ROOT = 0;
const GROUP_OR_OTHER_WRITE = 0o022;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Reads a configuration from a file; relative paths in it are relative to its folder.
 * @throws VramError `INVALID_CONFIG` naming the field and what it must be
 */
export async function readConfigFile(path: string): Promise<HoldConfig> {
  const text = await readTrusted(path);
  return parseConfig(parseJson(text), dirname(resolve(path)));
}

/** Who can write the file decides what is run as an anchor, so it must be this user's or root's alone to write. */
async function readTrusted(path: string): Promise<Buffer> {
  let handle: FileHandle | undefined;
  try {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = await handle.stat();
    const { uid, mode, size } = facts;
    if (!facts.isFile()) throw invalidConfig("config", "be a regular file");
    if (uid !== ROOT && uid !== process.geteuid?.()) throw invalidConfig("config", "be a file of this user or root");
    if ((mode & GROUP_OR_OTHER_WRITE) !== 0) throw invalidConfig("config", "be a file that only its owner can write to (chmod go-w)");
    if (size > MAX_BYTES) throw invalidConfig("config", `be a file of at most ${MAX_BYTES} bytes`);
    return await handle.readFile();
  } catch (error) {
    if (error instanceof VramError) throw error;
    throw invalidConfig("config", `be a readable file (${fileErrorCode(error)})`);
  } finally {
    await handle?.close();
  }
}

function parseJson(text: Buffer): unknown {
  if (text.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) throw invalidConfig("config", "begin without a byte order mark");
  if (!isUtf8(text)) throw invalidConfig("config", "be valid UTF-8");
  try {
    const reader = new JsonReader("config", text);
    const value = reader.value();
    reader.end();
    return value;
  } catch (error) {
    throw error instanceof VramError ? new VramError("INVALID_CONFIG", error.message, { details: error.details }) : error;
  }
}
