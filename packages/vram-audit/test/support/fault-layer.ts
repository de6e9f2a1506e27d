import type { RawFile } from "../../src/log/log-directory.js";

type Operation = "write" | "datasync" | "truncate";

export interface LayerCall {
  readonly name: string;
  readonly operation: Operation;
}

/** A system error as Node makes it: the full path is in its message. */
function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: /somewhere/secret/audit`), { code });
}

/**
 * Real files with a disk that can fill up, fail or be slow. Like the real one, `write` may take less than it was given,
 * and only then fail.
 */
export class FaultLayer {
  readonly calls: LayerCall[] = [];
  /** Bytes the disk still takes. */
  room = Number.POSITIVE_INFINITY;
  /** Runs before an operation; may wait, or throw to fail it. */
  before: (call: LayerCall) => Promise<void> | void = () => undefined;

  readonly wrap = (file: RawFile, name: string): RawFile => {
    const enter = async (operation: Operation) => {
      const call = { name, operation };
      this.calls.push(call);
      await this.before(call);
    };
    return {
      read: (buffer, offset, length, position) => file.read(buffer, offset, length, position),
      stat: () => file.stat(),
      close: () => file.close(),
      write: async (buffer, offset, length, position) => {
        await enter("write");
        const taken = Math.min(length, this.room);
        if (taken === 0) throw systemError("ENOSPC");
        this.room -= taken;
        return file.write(buffer, offset, taken, position);
      },
      datasync: async () => {
        await enter("datasync");
        await file.datasync();
      },
      truncate: async (length) => {
        await enter("truncate");
        const { size } = await file.stat();
        await file.truncate(length);
        this.room += Math.max(0, size - length);
      },
    };
  };

  /** Fails the next matching operation, once. */
  failNext(name: string, operation: Operation, code: string): void {
    this.before = (call) => {
      if (call.name !== name || call.operation !== operation) return;
      this.before = () => undefined;
      throw systemError(code);
    };
  }

  count(name: string, operation: Operation): number {
    return this.calls.filter((call) => call.name === name && call.operation === operation).length;
  }
}
