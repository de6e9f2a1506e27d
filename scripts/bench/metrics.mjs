// The text of a scrape with 1,000 resident shards, against prom-client's own of as many series.
import { join } from "node:path";
import { openAuditLog } from "vram-audit";
import { openResidency } from "vram-residency";
import { generate } from "vram-seal";
import { absentWithout } from "./absent.mjs";
import { once } from "./once.mjs";
import { secondsOf } from "./seconds-of.mjs";
import { quantile } from "./statistics.mjs";

const SHARDS = 1_000;
const SCRAPES = 50;
const OWN = `metrics text() of ${SHARDS} shards`;
const PEER = "prom-client's text of as many series as the metrics";

/** One shard whose status is read so many times at a scrape: a simulated device has not the memory for as many. */
async function openCollected({ folder, workplace }) {
  const { collectMetrics } = await import("vram-residency/metrics");
  const metrics = collectMetrics();
  const residency = await openResidency({
    ...workplace.open,
    ...{ workerId: "bench", sealKey: await generate(), audit: await openAuditLog({ dir: join(folder, "audit-metrics") }) },
  });
  await residency.seal(Buffer.alloc(4096, 1));
  const { get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(residency), "shards");
  Object.defineProperty(residency, "shards", { get: () => Array.from({ length: SHARDS }, () => get.call(residency)[0]) });
  if (!(await metrics.text()).includes(`vram_shards{state="sealed"} ${SHARDS}`)) throw new Error("the shards are not read");
  return metrics;
}

/** A counter with as many values as the text has samples. */
async function plainRegistry(text) {
  const { Counter, Registry } = await import("prom-client");
  const register = new Registry();
  const counter = new Counter({ name: "plain_total", help: "Plain.", labelNames: ["operation", "code"], registers: [register] });
  const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
  for (let index = 0; index < series; index += 1) counter.inc({ operation: "seal", code: `CODE_${index}` });
  return register;
}

/** Many texts, each timed by itself: their median. */
async function timeTexts(text) {
  const seconds = [];
  for (let done = 0; done < SCRAPES; done += 1) seconds.push(await secondsOf(text));
  return { seconds: quantile(seconds, 0.5) };
}

export function metricsGroup({ folder, workplace }) {
  const { backend } = workplace;
  const absent = absentWithout("prom-client");
  const collected = once(() => openCollected({ folder, workplace }));
  const plain = once(async () => plainRegistry(await (await collected()).text()));
  const measureOwn = async () => {
    const metrics = await collected();
    return timeTexts(() => metrics.text());
  };
  const measurePeer = async () => {
    const register = await plain();
    return timeTexts(() => register.metrics());
  };
  return {
    name: "metrics",
    subjects: [
      { id: OWN, backend, absent, measure: measureOwn },
      { id: PEER, absent, measure: measurePeer },
    ],
    rows: [
      { id: OWN, backend, own: OWN, unit: "ms", must: 5, aim: 2 },
      { id: `${OWN} : ${PEER}`, backend, own: OWN, peer: PEER },
    ],
  };
}
