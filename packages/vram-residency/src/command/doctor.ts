import { openDriver } from "vram-cuda";
import { evaluateDevice, resolvePolicy } from "vram-policy";
import { sealKeyMemory } from "vram-seal";
import type { SealKeyMemory } from "vram-seal";
import { chooseDriver } from "./driver-choice.js";
import type { SimulateOption } from "./driver-choice.js";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Output } from "./output.js";

const MEMORY_OF_KEYS: Readonly<Record<SealKeyMemory, string>> = {
  secret: "in a page that no core dump, no swap and no other process shows",
  locked: "in a page that is never swapped out or dumped",
  unlocked: "in a page that the system did not lock — raise ulimit -l",
  "key-object": "in a KeyObject, which may be swapped out or dumped — install the addon of vram-seal",
};

/** Prints where seal keys lie, the driver, its devices, and every rule of the default policy with its verdict, reason and remedy. */
export async function doctor(options: { readonly simulate?: SimulateOption }, output: Output): Promise<ExitCode> {
  const driver = openDriver(await chooseDriver(options.simulate, output));
  const { backend, driverVersion, libraryTrusted } = driver.facts;
  const trust = libraryTrusted ? "owned by root alone" : "not owned by root alone";
  const sealKeyPlace = sealKeyMemory();
  output.say(`seal keys ${MEMORY_OF_KEYS[sealKeyPlace]}`);
  output.say(`driver    ${backend}, CUDA driver API ${driverVersion}, library ${trust}`);
  const policy = resolvePolicy({});
  const devices = driver.devices().map((device) => ({
    device,
    policy: evaluateDevice({ driver: driver.facts, device }, policy),
  }));
  for (const { device, policy: report } of devices) {
    output.say(`device ${device.ordinal}  ${device.name}, ${device.uuid}, ${(device.totalBytes / 2 ** 30).toFixed(1)} GiB`);
    for (const { rule, verdict, reason, remedy } of report.rules) {
      output.say(`  ${verdict.padEnd(9)} ${rule}: ${reason}${remedy === null ? "" : ` — ${remedy}`}`);
    }
  }
  output.result({ sealKeys: { memory: sealKeyPlace }, driver: driver.facts, devices });
  return devices.every(({ policy: { ok } }) => ok) ? EXIT.good : EXIT.refused;
}
