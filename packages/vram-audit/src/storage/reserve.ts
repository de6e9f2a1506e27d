import { randomBytes } from "node:crypto";
import { AuditError, unavailable } from "../audit-error.js";
import { AppendFile, isDiskFull, type WritableFile } from "./append-file.js";
import { RESERVE_FILE } from "./file-names.js";

export const RESERVE_BYTES = 1_048_576;

/** Room that the log holds and gives up, once, for what must not be lost when the disk is full. */
export class Reserve {
  #spentFor: AuditError | undefined;

  private constructor(private readonly file: WritableFile) {}

  /**
   * Takes the room, unless an earlier log in the directory has left it.
   * @throws AuditError `AUDIT_UNAVAILABLE` with reason `full` when there is not enough
   */
  static async open(file: WritableFile, byteLength: number): Promise<Reserve> {
    if (byteLength !== RESERVE_BYTES) await fill(file);
    return new Reserve(file);
  }

  /** Why the room was given up; undefined while it is held. */
  get spentFor(): AuditError | undefined {
    return this.#spentFor;
  }

  /** Gives the room up; throws `reason` where there is none left. */
  async spend(reason: AuditError): Promise<void> {
    if (this.#spentFor !== undefined) throw reason;
    this.#spentFor = reason;
    try {
      await this.file.truncate(0);
      // A journalling file system lends freed blocks again only when the change is on the disk.
      await this.file.datasync();
    } catch {
      throw reason;
    }
  }
}

async function fill(raw: WritableFile): Promise<void> {
  const file = new AppendFile(RESERVE_FILE, raw, 0);
  await file.truncateToEnd();
  try {
    // Random: some file systems store zeros in no room at all.
    await file.append(randomBytes(RESERVE_BYTES));
    await file.datasync();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    throw unavailable("full", `there is no room for "${RESERVE_FILE}": free ${RESERVE_BYTES} bytes on the audit log's file system`, error.details);
  }
}
