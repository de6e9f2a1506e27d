// @ts-check
import { linear } from "engine-addon";

/**
 * The engine. This one computes on JavaScript's thread; one in earnest returns a promise.
 * @param {import("vram-residency").Lease} lease
 * @param {Float32Array} input
 */
export function compute(lease, input) {
  const weight = lease.tensors.get("weight");
  if (weight === undefined) throw new TypeError("the model must have a matrix named weight");
  return linear(lease.view(weight, { minAlignment: 4 }), input);
}
