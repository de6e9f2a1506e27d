import { expect } from "vitest";
import { VramError } from "../../src/errors.js";
import { readModelHeader } from "../../src/model/header.js";
import type { HeaderOptions, ModelHeader } from "../../src/model/header.js";

/** Reads the header of bytes in memory, and checks that no byte is asked for twice or beyond the end. */
export async function readHeaderOf(image: Uint8Array, options: HeaderOptions = {}): Promise<ModelHeader> {
  let position = 0;
  const header = await readModelHeader(
    {
      byteLength: image.byteLength,
      read: (length) => {
        position += length;
        expect(position).toBeLessThanOrEqual(image.byteLength);
        return Promise.resolve(image.slice(position - length, position));
      },
    },
    options,
  );
  expect(Buffer.compare(header.head, image.subarray(0, position))).toBe(0);
  return header;
}

/** The refusal's message; anything but a typed refusal fails the test. */
export async function refusalOf(image: Uint8Array, options: HeaderOptions = {}): Promise<string> {
  try {
    await readHeaderOf(image, options);
  } catch (error) {
    if (error instanceof VramError && error.code === "INVALID_INPUT") return error.message;
    throw error;
  }
  throw new Error("a refusal was expected");
}

/** Whether every tensor lies within the image and none touches another. */
export function isConsistent({ tensors, dataOffset }: ModelHeader, byteLength: number): boolean {
  const places = [...tensors.values()].filter((tensor) => tensor.byteLength > 0).sort((a, b) => a.byteOffset - b.byteOffset);
  const apart = places.every(({ byteOffset }, index) => {
    const before = places[index - 1];
    return before === undefined ? byteOffset >= dataOffset : byteOffset >= before.byteOffset + before.byteLength;
  });
  return apart && places.every((tensor) => tensor.byteOffset + tensor.byteLength <= byteLength);
}

/** A reproducible stream of numbers from 0 to 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
