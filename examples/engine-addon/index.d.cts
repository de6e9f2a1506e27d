import type { View } from "vram-cuda";

/**
 * y = W x, computed on the device that holds W, with each product and each sum rounded to F32.
 *
 * @param view what `lease.view()` gave for an F32 tensor of shape [rows, columns]
 * @param x as many elements as W has columns
 * @returns one element per row
 * @throws Error where an argument is not as above, the lease has ended, or the driver refuses a call
 */
export function linear(view: View, x: Float32Array): Float32Array;
