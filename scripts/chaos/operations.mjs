// The operations of a residency that the grid tries. `prepare` leads up to one, `act` is what the fault meets.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuditLog } from "../../packages/vram-audit/dist/index.js";
import { openResidency } from "../../packages/vram-residency/dist/index.js";
import { fsverityDigest, generate } from "../../packages/vram-seal/dist/index.js";
import { resetSimulator } from "../../packages/vram-simulator/dist/control.js";
import { simulator } from "../../packages/vram-simulator/dist/index.js";

const bytes = Buffer.from(Uint8Array.from({ length: 2 ** 19 }, (_, index) => index % 251));
const digest = fsverityDigest(bytes);

/** A simulated machine of two devices, and an audit log whose events are kept here, too. */
export async function newWorkplace() {
  resetSimulator({ devices: [{}, {}] });
  const folder = mkdtempSync(join(tmpdir(), "vram-chaos-"));
  const log = await openAuditLog({ dir: join(folder, "audit") });
  const events = [];
  const audit = {
    async append(event) {
      const written = await log.append(event);
      events.push(event);
      return written;
    },
    close: () => log.close(),
  };
  const model = join(folder, "model.bin");
  writeFileSync(model, bytes);
  return {
    events,
    model,
    executed: false,
    async open() {
      const policy = { allowBackends: ["simulator"], requirePageableStaging: false };
      this.residency = await openResidency({ sealKey: await generate(), audit, workerId: "chaos", policy, driver: simulator() });
    },
    async end() {
      await this.residency?.close();
      await log.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function opened(place) {
  await place.open();
}

async function sealed(place) {
  await place.open();
  place.shard = await place.residency.seal(place.model);
}

async function sealedSet(place) {
  await place.open();
  place.set = await place.residency.sealSet([place.model, place.model]);
}

const execute = (place, target) =>
  place.residency.execute(target, () => {
    place.executed = true;
  });

function assertSealed(...shards) {
  if (shards.some((shard) => shard.digest !== digest)) throw new Error("sealed with a wrong digest");
}

/** By name: what there is before (`shards` sealed, unless nothing is open), and how many shards `act` seals, or verifies. */
export const operations = {
  open: { prepare: async () => undefined, act: (place) => place.open() },
  "seal a file": { shards: 0, seals: 1, prepare: opened, act: async (place) => assertSealed(await place.residency.seal(place.model)) },
  "seal bytes": { shards: 0, seals: 1, prepare: opened, act: async (place) => assertSealed(await place.residency.seal(bytes)) },
  "seal with page-locked staging": {
    ...{ shards: 0, seals: 1, prepare: opened },
    act: async (place) => assertSealed(await place.residency.seal(place.model, { staging: "pinned" })),
  },
  "seal a set": {
    ...{ shards: 0, seals: 2, prepare: opened },
    act: async (place) => assertSealed(...(await place.residency.sealSet([place.model, place.model])).shards),
  },
  "undo a seal": {
    ...{ shards: 0, seals: 1, prepare: opened },
    act: (place) => place.residency.seal(place.model, { expect: { fsverity: "0".repeat(64) } }),
  },
  verify: { shards: 1, verifies: 1, prepare: sealed, act: (place) => place.residency.verify(place.shard) },
  execute: { shards: 1, verifies: 1, prepare: sealed, act: (place) => execute(place, place.shard) },
  "execute a set": { shards: 2, verifies: 2, prepare: sealedSet, act: (place) => execute(place, place.set) },
  release: { shards: 1, prepare: sealed, act: (place) => place.shard.close() },
  close: { shards: 1, prepare: sealed, act: (place) => place.residency.close() },
};
