// Changes bytes at random, as fuzzers do: flips, extremes, cuts, repeats, splices of two inputs, words of the format.
const EXTREMES = [0n, 1n, 127n, 255n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
const MAX_BYTES = 1 << 16;

/** Answers a changed copy of one of the inputs. `words` are texts that the format knows. */
export function mutated(inputs, { random, words }) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  let bytes = Buffer.from(pick(inputs));
  const at = (extra = 0) => Math.floor(random() * (bytes.length + extra));
  const splice = (start, removed, inserted) => Buffer.concat([bytes.subarray(0, start), inserted, bytes.subarray(start + removed)]);
  const changes = [
    () => bytes.length > 0 && (bytes[at()] ^= 1 << Math.floor(random() * 8)),
    () => bytes.length > 0 && (bytes[at()] = Math.floor(random() * 256)),
    () => bytes.length >= 8 && bytes.writeBigUInt64LE(BigInt.asUintN(64, pick(EXTREMES)), Math.floor(random() * (bytes.length - 7))),
    () => bytes.length >= 4 && bytes.writeUInt32LE(Number(BigInt.asUintN(32, pick(EXTREMES))), Math.floor(random() * (bytes.length - 3))),
    () => (bytes = bytes.subarray(0, at(1))),
    () => (bytes = splice(at(1), Math.floor(random() * 8), Buffer.alloc(0))),
    () => (bytes = splice(at(1), 0, bytes.subarray(at(), at(1)))),
    () => (bytes = splice(at(1), Math.floor(random() * 4), Buffer.from(pick(words)))),
    () => (bytes = splice(at(1), 0, Buffer.from(String(pick(EXTREMES))))),
    () => {
      const other = pick(inputs);
      bytes = Buffer.concat([bytes.subarray(0, at(1)), other.subarray(Math.floor(random() * other.length))]);
    },
  ];
  for (let count = 1 + Math.floor(random() * 4); count > 0; count -= 1) pick(changes)();
  return Buffer.from(bytes.subarray(0, MAX_BYTES));
}
