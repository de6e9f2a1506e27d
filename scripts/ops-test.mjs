// A bit flips in the memory of a running service: the scrub finds it, an alert arrives, the dashboard shows the tensor, the
// service wipes and ends, and the log verifies; the dashboard then stays with the service that comes after it.
// npm run ops-test [-- --json]: figures at the end; ends with 1 where a limit is missed. Leaves screenshots in .results/ops-test.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readAuditEvents } from "../packages/vram-audit/dist/index.js";
import { temporaryFolder } from "./bench/temporary-folder.mjs";
import { openDashboard } from "./ops-test/browser.mjs";
import { startMonitoring } from "./ops-test/monitoring.mjs";
import { freePorts } from "./free-ports.mjs";
import { start, until } from "./ops-test/processes.mjs";

const TENSOR_BYTES = 65_536;
const TENSORS = ["layers.0.weight", "layers.1.weight", "layers.2.weight"];
const DAMAGED = TENSORS[1];
const ALERT = "VramMemoryDamaged";
const REFUSED = 3;
const cli = fileURLToPath(new URL("../packages/vram-residency/dist/cli.js", import.meta.url));
const preload = new URL("./ops-test/flip-on-message.mjs", import.meta.url).href;
const screens = fileURLToPath(new URL("../.results/ops-test", import.meta.url));
const say = (line) => process.stderr.write(`${line}\n`);

function writeModel(file) {
  const entry = (_, index) => ({ dtype: "U8", shape: [TENSOR_BYTES], data_offsets: [index * TENSOR_BYTES, (index + 1) * TENSOR_BYTES] });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(TENSORS.map((name, index) => [name, entry(name, index)]))));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const data = Buffer.from(Uint8Array.from({ length: TENSORS.length * TENSOR_BYTES }, (_, index) => index % 251));
  writeFileSync(file, Buffer.concat([length, header, data]));
  return 8 + header.length;
}

function writeConfig(folder, port) {
  const file = join(folder, "hold.json");
  const { status } = spawnSync(process.execPath, [cli, "key", "generate", join(folder, "seal.key")]);
  if (status !== 0) throw new Error("no seal key could be made");
  writeFileSync(file, JSON.stringify({
    workerId: "ops-test",
    sealKey: { file: "seal.key" },
    audit: { dir: "audit" },
    models: [{ path: "model.safetensors" }],
    scrub: { periodSeconds: 1 },
    serve: { listen: `127.0.0.1:${port}` },
  }));
  return file;
}

function startService(config) {
  const args = ["--import", preload, cli, "hold", "--simulate", "--config", config];
  return start(process.execPath, args, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
}

const answers = async (url) => (await fetch(url)).ok;

async function eventsOf(dir, type) {
  const found = [];
  for await (const event of readAuditEvents({ dir })) if (event.type === type) found.push(event);
  return found;
}

async function measure(folder, ends) {
  const [servicePort, prometheusPort, alertmanagerPort] = await freePorts(3);
  const url = `http://127.0.0.1:${servicePort}/`;
  const dir = join(folder, "audit");
  const dataOffset = writeModel(join(folder, "model.safetensors"));
  const config = writeConfig(folder, servicePort);

  const service = startService(config);
  ends.push(() => service.end());
  await until("the service", () => answers(`${url}readyz`), { needs: [service] });
  const monitoring = await startMonitoring(folder, { servicePort, prometheusPort, alertmanagerPort });
  ends.push(monitoring.end);
  const dashboard = await openDashboard(folder, url);
  ends.push(dashboard.close);
  await dashboard.shows("#state", "eady");
  say("watched: the service is ready");

  const [sealed] = await eventsOf(dir, "vram.shard.sealed");
  const byteOffset = dataOffset + 1.5 * TENSOR_BYTES;
  const flippedAt = Date.now();
  service.child.send({ bufferId: sealed.data.placement.bufferId, byteOffset });
  const shownAt = await dashboard.shows("#damage-list", DAMAGED);
  say(`the dashboard names ${DAMAGED}`);
  await until(`the alert ${ALERT}`, () => monitoring.firedAt.has(ALERT), { needs: [] });
  mkdirSync(screens, { recursive: true });
  await dashboard.photograph(join(screens, "damaged.png"));
  const [failure] = await eventsOf(dir, "vram.seal.verification_failed");
  const foundAt = Date.parse(failure.time);

  const toldAt = Date.now();
  const code = await service.end();
  const endedAt = Date.now();
  const released = await eventsOf(dir, "vram.shard.deallocated");
  const { status, stdout } = spawnSync(process.execPath, [cli, "audit", "verify", dir, "--json"], { encoding: "utf8" });
  say(`the service ended with ${code}; the log ${status === 0 ? "verifies" : "DOES NOT VERIFY"}`);

  const next = startService(config);
  ends.push(() => next.end());
  await until("the service after it", () => answers(`${url}readyz`), { needs: [next] });
  const againAt = Date.now();
  const backAt = await dashboard.shows("#state", "eady");
  await dashboard.photograph(join(screens, "restarted.png"));
  return {
    rows: [
      { what: "flip to the event in the log", ms: foundAt - flippedAt },
      { what: "event to the alert at the webhook", ms: monitoring.firedAt.get(ALERT) - foundAt, limitMs: 5000 },
      { what: "event to the tensor on the dashboard", ms: shownAt - foundAt, limitMs: 500 },
      { what: "SIGTERM to the end of the service", ms: endedAt - toldAt },
      { what: "restarted service ready to the same dashboard page", ms: Math.max(0, backAt - againAt) },
    ],
    checks: [
      { what: `the event names ${DAMAGED}`, ok: failure.data.damage?.blocks[0]?.tensors.includes(DAMAGED) === true },
      { what: "every shard was wiped", ok: released.length === 1 && released.every(({ data }) => data.wiped) },
      { what: "the service ended as one that refused", ok: code === REFUSED },
      { what: `the log verifies (${JSON.parse(stdout).events} lines)`, ok: status === 0 },
      { what: "no error on the page", ok: dashboard.errors.length === 0 },
    ],
    alerts: [...monitoring.firedAt.keys()].sort(),
  };
}

function report({ rows, checks, alerts }) {
  for (const { what, ms, limitMs } of rows) {
    const verdict = limitMs === undefined ? "" : ms < limitMs ? `  under ${limitMs} ms` : `  MISSED: ${limitMs} ms`;
    console.log(`${String(ms).padStart(7)} ms  ${what}${verdict}`);
  }
  for (const { what, ok } of checks) console.log(`${ok ? "ok    " : "FAILED"}     ${what}`);
  console.log(`alerts: ${alerts.join(", ")}`);
}

const isGood = ({ rows, checks }) => checks.every(({ ok }) => ok) && rows.every(({ ms, limitMs = Infinity }) => ms < limitMs);
const folder = temporaryFolder("vram-ops-");
const ends = [];
try {
  const result = await measure(folder, ends);
  if (process.argv.includes("--json")) console.log(JSON.stringify(result));
  else report(result);
  process.exitCode = isGood(result) ? 0 : 1;
} catch (error) {
  say(error.message);
  process.exitCode = 1;
} finally {
  for (const end of ends.reverse()) await end();
}
