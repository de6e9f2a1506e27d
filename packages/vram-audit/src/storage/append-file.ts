import { AuditError, errnoOf, fileUnavailable, unavailable } from "../audit-error.js";
import type { Reserve } from "./reserve.js";

const NO_ROOM = ["ENOSPC", "EDQUOT"];
const FULL = "full";

/** The part of `FileHandle` that the log writes through. `write` may write less than it was given. */
export interface WritableFile {
  write(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesWritten: number }>;
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
}

/** A file that only grows, and from which everything that was refused is cut off again. */
export class AppendFile {
  #end: number;
  #durableEnd: number;

  /** @param end bytes of the file that are good; `truncateToEnd` removes what follows */
  constructor(
    private readonly name: string,
    private readonly file: WritableFile,
    end: number,
  ) {
    this.#end = end;
    this.#durableEnd = end;
  }

  /**
   * Writes all of `bytes`, or nothing: what a full disk let through is cut off again.
   * @param reserve is given up before a second try if the disk is full
   * @throws AuditError `AUDIT_UNAVAILABLE`, with reason `full` where there is no room
   */
  async append(bytes: Uint8Array, reserve?: Reserve): Promise<void> {
    try {
      await this.#writeAll(bytes);
    } catch (error) {
      const isCut = await this.#cut(this.#end);
      const failure = isCut ? writeFailure(this.name, error) : fileUnavailable(this.name, "written", error);
      if (reserve === undefined || !isDiskFull(failure)) throw failure;
      await reserve.spend(failure);
      return this.append(bytes);
    }
    this.#end += bytes.length;
  }

  /** Makes everything appended so far durable; if that fails, what was appended since the last time is cut off. */
  async datasync(): Promise<void> {
    try {
      await this.file.datasync();
      this.#durableEnd = this.#end;
    } catch (error) {
      await this.#cut(this.#durableEnd);
      throw fileUnavailable(this.name, "written", error);
    }
  }

  async truncateToEnd(): Promise<void> {
    try {
      await this.file.truncate(this.#end);
    } catch (error) {
      throw fileUnavailable(this.name, "written", error);
    }
  }

  /** A cut that fails leaves a tail, which the next opening judges: nothing may be written over it. */
  async #cut(length: number): Promise<boolean> {
    try {
      await this.file.truncate(length);
      return true;
    } catch {
      return false;
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.file.write(bytes, written, bytes.length - written, this.#end + written);
      if (bytesWritten === 0) throw new Error("nothing was written");
      written += bytesWritten;
    }
  }
}

function writeFailure(name: string, error: unknown): AuditError {
  const errno = errnoOf(error);
  if (!NO_ROOM.includes(errno)) return fileUnavailable(name, "written", error);
  return unavailable(FULL, `there is no room for the audit file "${name}" (${errno})`, { file: name, errno });
}

/** Whether a write found no room. A sync that did is another matter: it is never tried again. */
export function isDiskFull(error: unknown): error is AuditError {
  return error instanceof AuditError && error.details["reason"] === FULL;
}
