import { fdatasync, write } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import type { SegmentFile } from "../read/log-lines.js";
import type { WritableFile } from "../storage/append-file.js";
import type { AuditDirectory } from "../storage/audit-directory.js";

export interface RawFile extends SegmentFile, WritableFile {}

/** Something between the log and its files, which it knows by their bare names. */
export type FileLayer = (file: RawFile, name: string) => RawFile;

/** What the log needs of its directory. */
export interface LogDirectory extends Pick<AuditDirectory, "names" | "remove" | "sync"> {
  openFile(name: string): Promise<RawFile>;
  createFile(name: string): Promise<RawFile>;
}

const [writeTo, datasyncOf] = [promisify(write), promisify(fdatasync)];

/** What every event goes through takes the calls with callbacks: a `FileHandle`'s own cost twice as much of the event loop. */
function rawFile(handle: FileHandle): RawFile {
  return {
    read: (buffer, offset, length, position) => handle.read(buffer, offset, length, position),
    stat: () => handle.stat(),
    write: (buffer, offset, length, position) => writeTo(handle.fd, buffer, offset, length, position),
    datasync: () => datasyncOf(handle.fd),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
}

export function layeredDirectory(directory: AuditDirectory, layer: FileLayer): LogDirectory {
  return {
    names: () => directory.names(),
    remove: (name) => directory.remove(name),
    sync: () => directory.sync(),
    openFile: async (name) => layer(rawFile(await directory.openFile(name)), name),
    createFile: async (name) => layer(rawFile(await directory.createFile(name)), name),
  };
}
