// A full run in which every driver call fails once in each operation. Everything that can be said of it is said on stdout:
// errors with their causes, objects, results, and the audit trail's copy in winston. Arguments: key file, model, folder.
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { join } from "node:path";
import { serialize, writeHeapSnapshot } from "node:v8";
import { fromKeyFile, fromWorkerToken, openAuditLog, openResidency } from "vram-residency";
import { simulator } from "vram-simulator";
import { failCall, faultCopy, resetSimulator, setPointerAttribute, simulatorStats, skipKernel } from "vram-simulator/control";
import { addressAppearsIn, tamper } from "vram-simulator/tamper";
import { createLogger, format, transports } from "winston";

const [keyFile, model, folder] = process.argv.slice(2);
const SHOWN = { showHidden: true, depth: Infinity, getters: true, maxArrayLength: null, maxStringLength: null };
const said = [];

function say(value) {
  const plain = typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
  const text = `${inspect(value, SHOWN)}\n${plain}\n`;
  said.push(text);
  process.stdout.write(text);
}

async function attempt(operation) {
  try {
    const result = await operation();
    say(result);
    return result;
  } catch (error) {
    for (let each = error; each instanceof Error; each = each.cause) {
      say(each);
      say({ message: each.message, stack: each.stack, ...each });
      say(serialize({ message: each.message, details: each.details }).toString("latin1"));
    }
    return undefined;
  }
}

const logger = createLogger({ level: "silly", format: format.json(), transports: [new transports.Console()] });
let runs = 0;

async function run({ sealKey = () => fromKeyFile(keyFile), fault = () => undefined, before = "seal" } = {}) {
  runs += 1;
  const auditDir = join(folder, `audit-${runs}`);
  resetSimulator();
  const audit = await openAuditLog({ dir: auditDir, mirror: logger });
  if (before === "open") fault();
  const residency = await attempt(async () =>
    openResidency({ sealKey: await sealKey(), audit, workerId: "worker", policy: { allowBackends: ["simulator"] }, driver: simulator() }),
  );
  if (residency === undefined) return;
  if (before === "seal") fault();
  const shard = await attempt(() => residency.seal(model, { shardId: "s", modelRef: "test:model" }));
  if (before === "verify") fault();
  if (shard !== undefined) {
    await attempt(() => residency.verify(shard));
    await attempt(() => residency.execute(shard, (lease) => lease.tensors));
    await attempt(() => residency.attest(shard, { nonce: new Uint8Array(32) }));
    await attempt(() => residency.verify({ ...shard.seal, mac: shard.seal.statement }));
  }
  if (before === "release") fault();
  await attempt(() => shard?.close());
  say(residency.signal.reason);
  await attempt(() => residency.close());
  const { calls } = simulatorStats();
  return calls;
}

const calls = await run();
for (const entryPoint of Object.keys(calls).filter((name) => calls[name] > 0)) {
  for (const [before, code] of [["open", 1], ["seal", 1], ["seal", 719], ["verify", 1]]) {
    await run({ before, fault: () => failCall({ entryPoint, code }) });
  }
}
for (const entryPoint of ["cuMemSetAccess", "cuMemsetD8Async", "cuLaunchKernel", "cuMemUnmap", "cuMemAddressFree"]) {
  await run({ before: "release", fault: () => failCall({ entryPoint, code: 1 }) });
}
for (const fault of [() => skipKernel({ sticky: true }), () => faultCopy({ direction: "toDevice", mode: "drop" }), () => setPointerAttribute(8, 1)]) {
  for (const before of ["seal", "verify"]) await run({ before, fault });
}
await run({ sealKey: () => fromWorkerToken(readFileSync(join(folder, "token"), "utf8")) });
await attempt(() => fromWorkerToken(`${readFileSync(join(folder, "token"), "utf8")}\n`));
for (const wrong of [join(folder, "absent"), folder, model, `${keyFile}\0`]) await attempt(() => fromKeyFile(wrong));

resetSimulator();
const residency = await openResidency({
  ...{ sealKey: await fromKeyFile(keyFile), audit: await openAuditLog({ dir: join(folder, "audit-last") }), workerId: "worker" },
  ...{ policy: { allowBackends: ["simulator"] }, driver: simulator() },
});
const shard = await residency.seal(model);
let seen;
await attempt(() =>
  residency.execute(shard, (lease) => {
    const view = lease.view({ offset: 0, byteLength: shard.vramBytes });
    say({ lease, view, residency, shard });
    tamper(view, { byteOffset: 100 });
    seen = addressAppearsIn(view, said.join(""));
  }),
);
await attempt(() => residency.execute(shard, () => undefined));
writeHeapSnapshot(join(folder, "heap.heapsnapshot"));
await residency.close();
process.stdout.write(`\nruns: ${runs}, an address was said: ${seen}\n`);
