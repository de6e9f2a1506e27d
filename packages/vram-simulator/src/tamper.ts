import { flipBit } from "./control.js";
import type { BitAddress } from "./control.js";

/** The threat model's hostile engine: flips one bit of device memory behind the driver's interface, sealed or not. */
export function tamper(target: BitAddress): void {
  flipBit(target);
}
