// What it costs an operation that somebody could listen to it, and that somebody does.
import { existsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { absentWithout } from "./absent.mjs";
import { timeCalls } from "./calls.mjs";
import { once } from "./once.mjs";

const BLOCK = Buffer.alloc(4096, 1);
/** A verification tells of itself, of its digest, and of its event. */
const TELLINGS = 1_000;
const VERIFY = "verify 4 KiB, nobody listens";
const SILENCE = "telling nobody of a verification";
const PROJECT = new URL("../../package.json", import.meta.url);
const SOURCE = fileURLToPath(new URL("../../packages/vram-residency/src/telemetry/publish.ts", import.meta.url));

/** The module that the package has inside, by itself. */
async function importTelemetry(folder) {
  const esbuild = createRequire(createRequire(PROJECT).resolve("tsup"))("esbuild");
  const { outputFiles } = esbuild.buildSync({ entryPoints: [SOURCE], bundle: true, platform: "node", format: "esm", write: false });
  const file = join(folder, "telemetry.mjs");
  writeFileSync(file, outputFiles[0].contents);
  return import(pathToFileURL(file));
}

/** Seconds that the calls of one verification take, beyond what they are around. */
async function timeSilence({ traced, audited }) {
  const nothing = () => Promise.resolve();
  const told = () => traced("verify", {}, () => traced("digest", { "vram.bytes": BLOCK.length }, () => audited({ type: "none" }, nothing)));
  const untold = () => (() => (async () => nothing())())();
  const timeOf = async (call) => {
    const startMs = performance.now();
    for (let done = 0; done < TELLINGS; done += 1) await call();
    return (performance.now() - startMs) / 1e3 / TELLINGS;
  };
  return { seconds: Math.max((await timeOf(told)) - (await timeOf(untold)), 1e-9) };
}

export function telemetryGroup({ folder, workplace }) {
  const { backend, residency, surroundings } = workplace;
  const sealed = once(async () => (await residency()).seal(BLOCK));
  const telemetry = once(() => importTelemetry(folder));
  const verify = async () => {
    const [worker, shard] = [await residency(), await sealed()];
    return surroundings(() => timeCalls(() => worker.verify(shard)));
  };
  return {
    name: "telemetry",
    subjects: [
      { id: VERIFY, backend, measure: verify },
      { id: SILENCE, absent: existsSync(SOURCE) ? absentWithout("tsup", PROJECT) : "needs the repository", measure: async () => timeSilence(await telemetry()) },
    ],
    rows: [{ id: "telling nobody of a verification : verify 4 KiB", backend, own: SILENCE, peer: VERIFY, must: 100, aim: 1000 }],
  };
}
