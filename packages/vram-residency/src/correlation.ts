import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";

const current = new AsyncLocalStorage<string>();

/** An id for one operation: 32 hexadecimal characters. */
export function newCorrelationId(): string {
  return randomBytes(16).toString("hex");
}

/** Runs an operation under an id, which all its events and errors carry. */
export function correlated<T>(id: string, operation: () => T): T {
  return current.run(id, operation);
}

/** The id of the operation that the current asynchronous context belongs to. */
export function correlationId(): string | undefined {
  return current.getStore();
}
