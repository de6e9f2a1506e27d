import { PolicyError, invalidInput } from "./policy-error.js";

/** Bytes of device memory. */
export interface CapacitySnapshot {
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
  /** Never given out. */
  readonly reservedBytes: number;
}

/** A share of the capacity, taken before the memory is allocated. */
export interface Reservation {
  readonly byteLength: number;
  /** Gives the share back; a second call does nothing. */
  release(): void;
}

/** What else a reservation may count on. */
export interface ReserveOptions {
  /** What the device says is free right now, in bytes: others may hold some of it. */
  readonly freeBytes?: number;
}

/** Gives out a device's memory, in bytes. */
export interface Capacity {
  /** @throws PolicyError `INSUFFICIENT_VRAM` with `neededBytes` and `availableBytes`; `INVALID_INPUT` */
  reserve(byteLength: number, options?: ReserveOptions): Reservation;
  /** How much is given out now. */
  snapshot(): CapacitySnapshot;
}

/**
 * Admits allocations so that their sum never exceeds the capacity, also while they are being made. All sums stay below
 * `totalBytes`, a safe integer, so none can overflow.
 *
 * @throws PolicyError `INVALID_INPUT`
 */
export function createCapacity(size: { readonly totalBytes: number; readonly reserveBytes: number }): Capacity {
  const totalBytes = checkedBytes("totalBytes", size.totalBytes, 1);
  const reservedBytes = Math.min(checkedBytes("reserveBytes", size.reserveBytes, 0), totalBytes);
  let usedBytes = 0;
  const availableBytes = (): number => totalBytes - reservedBytes - usedBytes;
  return {
    reserve(byteLength, { freeBytes = Number.MAX_SAFE_INTEGER } = {}) {
      const neededBytes = checkedBytes("byteLength", byteLength, 1);
      const available = Math.min(availableBytes(), checkedBytes("freeBytes", freeBytes, 0));
      if (neededBytes > available) {
        throw new PolicyError("INSUFFICIENT_VRAM", `not enough device memory: ${neededBytes} bytes needed, ${available} available`, {
          neededBytes,
          availableBytes: available,
        });
      }
      usedBytes += neededBytes;
      let held = true;
      return {
        byteLength: neededBytes,
        release() {
          if (held) usedBytes -= neededBytes;
          held = false;
        },
      };
    },
    snapshot: () => ({ totalBytes, availableBytes: availableBytes(), usedBytes, reservedBytes }),
  };
}

function checkedBytes(argument: string, value: number, minimum: number): number {
  if (Number.isSafeInteger(value) && value >= minimum) return value;
  throw invalidInput(argument, `be an integer number of bytes from ${minimum} to 2^53 - 1`);
}
