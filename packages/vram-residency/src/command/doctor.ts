import { createRequire } from "node:module";
import { messageOf, queryAuditLog } from "vram-audit";
import type { AuditEntry } from "vram-audit";
import { openDriver } from "vram-cuda";
import { evaluateDevice, resolvePolicy } from "vram-policy";
import { sealKeyMemory } from "vram-seal";
import type { SealKeyMemory } from "vram-seal";
import { chooseDriver } from "./driver-choice.js";
import type { SimulateOption } from "./driver-choice.js";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import { coloured } from "./output.js";
import type { Colour, Output } from "./output.js";

const MEMORY_OF_KEYS: Readonly<Record<SealKeyMemory, string>> = {
  secret: "in a page that no core dump, no swap and no other process shows",
  locked: "in a page that is never swapped out or dumped",
  unlocked: "in a page that the system did not lock — raise ulimit -l",
  "key-object": "in a KeyObject, which may be swapped out or dumped — install the addon of vram-seal",
};

export interface DoctorOptions {
  readonly simulate?: SimulateOption;
  readonly audit?: string;
}

const COLOURS: Readonly<Record<string, Colour>> = { pass: "green", waived: "yellow", violated: "red" };

/** What a log tells of damaged memory. */
const DAMAGE_TYPES = ["vram.seal.verification_failed", "vram.shard.repaired", "vram.shard.repair_refused", "vram.device.quarantined"] as const;

/**
 * Prints where seal keys lie, whether metrics can be served, the driver, its devices, and every rule of the default policy with its
 * verdict, reason and remedy; and of an audit log, what it tells of damage.
 */
export async function doctor(options: DoctorOptions, output: Output): Promise<ExitCode> {
  const sealKeyPlace = sealKeyMemory();
  output.say(`seal keys ${MEMORY_OF_KEYS[sealKeyPlace]}`);
  const servesMetrics = hasPromClient();
  output.say(`metrics   ${servesMetrics ? "can be served" : "cannot be served without prom-client — npm install prom-client"}`);
  const driver = openDriver(await chooseDriver(options.simulate, output));
  const { backend, driverVersion, libraryTrusted } = driver.facts;
  const trust = libraryTrusted ? "owned by root alone" : "not owned by root alone";
  output.say(`driver    ${backend}, CUDA driver API ${driverVersion}, library ${trust}`);
  const policy = resolvePolicy({});
  const devices = driver.devices().map((device) => ({
    device,
    policy: evaluateDevice({ driver: driver.facts, device }, policy),
  }));
  for (const { device, policy: report } of devices) {
    output.say(`device ${device.ordinal}  ${device.name}, ${device.uuid}, ${(device.totalBytes / 2 ** 30).toFixed(1)} GiB`);
    for (const { rule, verdict, reason, remedy } of report.rules) {
      output.say(`  ${coloured(verdict.padEnd(9), COLOURS[verdict])} ${rule}: ${reason}${remedy === null ? "" : ` — ${remedy}`}`);
    }
  }
  const damage = options.audit === undefined ? [] : await damageIn(options.audit);
  for (const entry of damage) output.say(`${coloured("damage", "red")}    ${entry.envelope.time}: ${messageOf(entry)} — see docs/guide/incidents.md`);
  output.result({ sealKeys: { memory: sealKeyPlace }, metrics: { served: servesMetrics }, driver: driver.facts, devices, damage: damage.map(({ envelope }) => envelope) });
  return damage.length === 0 && devices.every(({ policy: { ok } }) => ok) ? EXIT.good : EXIT.refused;
}

function hasPromClient(): boolean {
  try {
    createRequire(import.meta.url).resolve("prom-client");
    return true;
  } catch {
    return false;
  }
}

/** Not every refused seal was damaged memory. */
function tellsOfDamage({ event }: AuditEntry): boolean {
  return event?.type !== "vram.seal.verification_failed" || event.data.damage !== undefined;
}

async function damageIn(dir: string): Promise<readonly AuditEntry[]> {
  const found: AuditEntry[] = [];
  for await (const entry of queryAuditLog({ dir, filter: { types: DAMAGE_TYPES } })) if (tellsOfDamage(entry)) found.push(entry);
  return found;
}
