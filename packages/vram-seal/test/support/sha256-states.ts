import { createHash } from "node:crypto";

const WORDS = 8;

/** FIPS 180-4, section 4.2.2 and 5.3.3: the first 32 bits of the fractional parts of roots of primes. */
const primes = [...Array(312).keys()].filter((n) => n > 1 && ![...Array(n).keys()].some((d) => d > 1 && n % d === 0));
const fraction = (root: number): number => Math.floor((root - Math.floor(root)) * 2 ** 32);
const INITIAL = primes.slice(0, WORDS).map((prime) => fraction(Math.sqrt(prime)));
const CONSTANTS = primes.slice(0, 64).map((prime) => fraction(Math.cbrt(prime)));

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** The compression function's state after the first block of a message. */
export function stateAfter(block: Buffer): number[] {
  const schedule = [...Array(16).keys()].map((index) => block.readUInt32BE(4 * index));
  const word = (index: number): number => schedule[index] ?? 0;
  for (let t = 16; t < 64; t += 1) {
    const [a, b] = [word(t - 15), word(t - 2)];
    const small0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const small1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    schedule.push((word(t - 16) + small0 + word(t - 7) + small1) >>> 0);
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = INITIAL;
  for (let t = 0; t < 64; t += 1) {
    const large1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const first = (h + large1 + ((e & f) ^ (~e & g)) + (CONSTANTS[t] ?? 0) + word(t)) >>> 0;
    const large0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const second = (large0 + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) >>> 0, c, b, a, (first + second) >>> 0];
  }
  return [a, b, c, d, e, f, g, h].map((value, index) => (value + (INITIAL[index] ?? 0)) >>> 0);
}

/** The states after the two padded keys of HMAC-SHA256 (RFC 2104). */
export function hmacStates(key: Buffer): number[][] {
  return [0x36, 0x5c].map((pad) => stateAfter(Buffer.from(Array.from({ length: 64 }, (_, index) => (key[index] ?? 0) ^ pad))));
}

/** Words as they lie in memory. */
export const inMemory = (words: readonly number[]): Buffer => Buffer.from(Uint32Array.from(words).buffer);

/** A state as the processor's SHA instructions want it: two registers of four words. */
export function inRegisters(state: readonly number[]): Buffer[] {
  const order = [
    [5, 4, 1, 0],
    [7, 6, 3, 2],
  ];
  return order.map((words) => inMemory(words.map((index) => state[index] ?? 0)));
}

/** Shows that {@link stateAfter} is SHA-256: a whole digest of one block would need two. */
export function digestOfShort(message: Buffer): Buffer {
  const block = Buffer.concat([message, Buffer.of(0x80), Buffer.alloc(64)]).subarray(0, 64);
  block.writeUInt32BE(message.length * 8, 60);
  const digest = Buffer.alloc(32);
  stateAfter(block).forEach((word, index) => digest.writeUInt32BE(word, 4 * index));
  return digest;
}

export const sha256 = (message: Buffer): Buffer => createHash("sha256").update(message).digest();
