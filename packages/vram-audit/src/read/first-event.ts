import { parseLine } from "../events/line.js";
import type { AuditOpened } from "../events/schema.js";
import { type ReadableFile, readLines } from "./read-lines.js";

/** What the first line says about the log's key; undefined when it is not the line that opens a log. */
export async function readFirstEvent(log: ReadableFile): Promise<AuditOpened["data"] | undefined> {
  for await (const { bytes } of readLines(log, 1)) {
    const { event } = parseLine(bytes);
    return event?.type === "vram.audit.opened" ? event.data : undefined;
  }
  return undefined;
}
