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

export function layeredDirectory(directory: AuditDirectory, layer: FileLayer): LogDirectory {
  return {
    names: () => directory.names(),
    remove: (name) => directory.remove(name),
    sync: () => directory.sync(),
    openFile: async (name) => layer(await directory.openFile(name), name),
    createFile: async (name) => layer(await directory.createFile(name), name),
  };
}
