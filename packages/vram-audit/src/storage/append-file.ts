import { fileUnavailable } from "../audit-error.js";

/** The part of `FileHandle` that the log writes through. `write` may write less than it was given. */
export interface WritableFile {
  write(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesWritten: number }>;
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
}

/** A file that only grows, and of which every byte before `end` was written whole. */
export class AppendFile {
  #end: number;

  /** @param end bytes of the file that are good; `truncateToEnd` removes what follows */
  constructor(
    private readonly name: string,
    private readonly file: WritableFile,
    end: number,
  ) {
    this.#end = end;
  }

  /**
   * Writes all of `bytes`, or nothing: what a full disk let through is cut off again.
   * @throws AuditError `AUDIT_UNAVAILABLE`
   */
  async append(bytes: Uint8Array): Promise<void> {
    try {
      await this.#writeAll(bytes);
    } catch (error) {
      // A cut that fails leaves a torn tail, which the next opening cuts; the failed write is what counts.
      await this.file.truncate(this.#end).catch(() => undefined);
      throw fileUnavailable(this.name, "written", error);
    }
    this.#end += bytes.length;
  }

  async datasync(): Promise<void> {
    try {
      await this.file.datasync();
    } catch (error) {
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

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.file.write(bytes, written, bytes.length - written, this.#end + written);
      if (bytesWritten === 0) throw new Error("nothing was written");
      written += bytesWritten;
    }
  }
}
