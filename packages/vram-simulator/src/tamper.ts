import { hostileEngine } from "./native.js";
import { invalidInput } from "./simulator-error.js";
import { integer } from "./validate.js";

/**
 * The threat model's hostile engine: maps the memory behind a view writable, flips one bit of it and maps it read-only
 * again. Works on a GPU as on the simulator. `view` is what `lease.view()` gives.
 *
 * @throws SimulatorError `INVALID_INPUT` for an argument out of range, or an offset outside the view; Error if the view has ended or the driver refuses
 */
export function tamper(view: object, { byteOffset, bit = 0 }: { readonly byteOffset: number; readonly bit?: number }): void {
  const isThere = hostileEngine().flip(view, integer("byteOffset", byteOffset, 0, Number.MAX_SAFE_INTEGER), integer("bit", bit, 0, 7));
  if (!isThere) throw invalidInput("byteOffset", "lie in the view");
}

/** Runs a kernel that stores into the memory behind a view. @returns the driver's result code: 0, or how it was stopped */
export function store(view: object): number {
  return hostileEngine().store(view);
}

/** Acquires the tensor behind a view and keeps it until the returned function is called. */
export function hold(view: object): () => void {
  return hostileEngine().hold(view);
}

/**
 * Whether the address of the memory behind a view, or of its native object, appears in a text, in hexadecimal or decimal.
 * The address itself stays in native code.
 */
export function addressAppearsIn(view: object, text: string): boolean {
  return hostileEngine().appearsIn(view, text);
}

/** The address of a view's native object as text: what must never happen, so that a test knows that it would see it. */
export function leakAddress(view: object): string {
  return hostileEngine().leak(view);
}
