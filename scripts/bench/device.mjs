// Loads with and without a seal, verification from device memory, and the wipe.
import { createHash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { deviceRows, sizeName } from "./device-rows.mjs";
import { devicePeers } from "./device-peers.mjs";
import { once } from "./once.mjs";
import { makeRandomFile, randomChunks } from "./random-file.mjs";

const PIECE_BYTES = 2 ** 22;
const MIB = 2 ** 20;

/** Bytes that are verified, of which the peers get `main`; bytes of the file that is loaded; bytes that are wiped. */
function sizesOf(isGpu, { quick }) {
  if (!isGpu) return quick ? { verify: [64 * MIB], main: 64 * MIB, load: 32 * MIB, wipe: 32 * MIB } : { verify: [256 * MIB], main: 256 * MIB, load: 128 * MIB, wipe: 128 * MIB };
  const verify = [64 * MIB, 1024 * MIB, ...(quick ? [] : [8e9, 16_384 * MIB])];
  return { verify, main: 1024 * MIB, load: quick ? 1024 * MIB : 4096 * MIB, wipe: quick ? 1024 * MIB : 16_384 * MIB };
}

/** So many bytes, one piece again and again. */
function* pieces(byteLength, piece) {
  for (let done = 0; done < byteLength; done += piece.length) yield piece.subarray(0, Math.min(piece.length, byteLength - done));
}

async function timed(work) {
  const startMs = performance.now();
  const result = await work();
  return { seconds: (performance.now() - startMs) / 1e3, result };
}

/** The digest alone as the report tells it, and the whole call with its line in the audit trail. */
function verifySubject(byteLength, { residency }, piece) {
  const shard = once(async () => (await residency()).seal({ byteLength, async *[Symbol.asyncIterator]() { yield* pieces(byteLength, piece()); } }));
  const measure = async () => {
    const sealed = await shard();
    const { seconds: wholeSeconds, result } = await timed(async () => (await residency()).verify(sealed));
    return { seconds: result.durationMs / 1e3, wholeSeconds };
  };
  return { id: `verify ${sizeName(byteLength)}`, bytes: byteLength, measure };
}

function hashSubject(byteLength, piece) {
  const measure = async () => {
    const { seconds } = await timed(() => {
      const hash = createHash("sha256");
      for (const each of pieces(byteLength, piece())) hash.update(each);
      return hash.digest();
    });
    return { seconds };
  };
  return { id: `createHash ${sizeName(byteLength)}`, bytes: byteLength, measure };
}

function sealedLoad({ residency, surroundings }, file) {
  return () =>
    surroundings(async () => {
      const { path, fsverity } = file();
      const opened = await residency();
      const { seconds, result: shard } = await timed(() => opened.seal(path, { format: "opaque", expect: { fsverity } }));
      await shard.close();
      return { seconds };
    });
}

function unsealedLoad({ device, surroundings }, file) {
  return () =>
    surroundings(async () => {
      const { path, byteLength } = file();
      const { seconds, result: allocation } = await timed(async () => {
        const fd = openSync(path, "r");
        const loaded = await device.allocate(byteLength, { fsverity: false });
        await loaded.appendFile(fd, byteLength);
        await loaded.finishLoad();
        closeSync(fd);
        return loaded;
      });
      await allocation.release();
      return { seconds };
    });
}

/** A release tells how long its wipe took; the check of it is a digest, which is measured on as many bytes. */
function wipeSubjects({ device }, byteLength, piece) {
  const other = once(async () => {
    const loaded = await device.allocate(byteLength);
    for (const each of pieces(byteLength, piece())) await loaded.append(each);
    await loaded.finishLoad();
    return loaded;
  });
  const check = async () => {
    const loaded = await other();
    return timed(() => loaded.digest());
  };
  const measure = async () => {
    const allocation = await device.allocate(byteLength);
    const { seconds: wholeSeconds, result } = await timed(() => allocation.release());
    if (!result.wiped) throw new Error("the memory was not wiped");
    return { seconds: result.wipeMs / 1e3, wholeSeconds };
  };
  return [
    { id: "wipe without its check", bytes: byteLength, measure },
    { id: "check of the wipe", bytes: byteLength, measure: async () => ({ seconds: (await check()).seconds }) },
  ];
}

export function deviceGroup({ folder, workplace, machine, options }) {
  const { backend } = workplace;
  const isGpu = backend !== "simulator";
  const sizes = sizesOf(isGpu, options);
  const piece = once(() => [...randomChunks(PIECE_BYTES, options.seed)][0]);
  const file = once(() => makeRandomFile(join(folder, "device.bin"), { byteLength: sizes.load, seed: options.seed }));
  const subjects = [
    ...sizes.verify.map((byteLength) => verifySubject(byteLength, workplace, piece)),
    { id: "sealed load", bytes: sizes.load, measure: sealedLoad(workplace, file) },
    { id: "unsealed load", bytes: sizes.load, measure: unsealedLoad(workplace, file) },
    ...wipeSubjects(workplace, sizes.wipe, piece),
  ];
  const peers = [hashSubject(sizes.main, piece), ...devicePeers({ isGpu, sizes, probe: options.probe })];
  return {
    name: "device",
    subjects: [...subjects.map((subject) => ({ ...subject, backend })), ...peers],
    rows: deviceRows({ machine, backend, sizes }),
  };
}
