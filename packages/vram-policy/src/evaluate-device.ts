import type { DeviceFacts, DriverFacts } from "./facts.js";
import type { Policy } from "./policy.js";
import { isFalse, isTrue, report, reportOf, requireFact } from "./report.js";
import type { PolicyReport, RuleResult } from "./report.js";
import type { PolicyRule } from "./rules.js";

/** Judges a driver and a device before any memory is allocated: what makes "VRAM" host memory is refused. */
export function evaluateDevice(
  { driver, device }: { readonly driver: DriverFacts; readonly device: DeviceFacts },
  policy: Policy,
): PolicyReport {
  return reportOf([...driverRules(driver, policy), ...deviceRules(device, policy), ...deviceNotes(device)]);
}

function driverRules({ backend, libraryTrusted, environment }: DriverFacts, policy: Policy): RuleResult[] {
  const set = Object.entries(environment)
    .filter(([, present]) => present)
    .map(([name]) => name);
  return [
    requireFact({
      rule: "backend-allowed",
      fact: backend,
      holds: (fact) => policy.allowBackends.includes(fact),
      good: `the backend ${backend} is allowed`,
      bad: `the backend ${backend} is not one of ${policy.allowBackends.join(", ")}`,
      remedy: "run on a GPU with the system's driver, or allow the backend in policy.allowBackends",
    }),
    requireFact({
      rule: "driver-trusted",
      fact: libraryTrusted,
      holds: isTrue,
      good: "the driver's entry points lie in one file that root owns and nobody else can write",
      bad: "the driver's entry points do not lie in one file that root owns and nobody else can write",
      remedy: "install the driver from its package, or give the library to root with mode 0755",
      // A library given by path was named by the caller; allowing its backend is the decision about it.
      waived: !policy.requireTrustedDriver || backend !== "cuda",
    }),
    report("injection-variables", set.length === 0 ? "no variable that injects code into the driver is set" : `set: ${set.join(", ")}`),
  ];
}

function deviceRules(device: DeviceFacts, policy: Policy): RuleResult[] {
  const otherDevice = "use a discrete GPU with memory of its own";
  return [
    requireFact({
      rule: "not-integrated",
      fact: device.integrated,
      holds: isFalse,
      good: "the device has memory of its own",
      bad: "the device is integrated: its memory is the host's",
      remedy: otherDevice,
    }),
    requireFact({
      rule: "no-host-page-tables",
      fact: device.pageableMemoryAccessUsesHostPageTables,
      holds: isFalse,
      good: "the device does not use the host's page tables",
      bad: "the device uses the host's page tables: host memory can stand in for its own",
      remedy: otherDevice,
    }),
    requireFact({
      rule: "no-managed-access-from-host",
      fact: device.directManagedMemAccessFromHost,
      holds: isFalse,
      good: "the host cannot reach managed memory on the device without migration",
      bad: "the host reaches managed memory on the device without migration",
      remedy: otherDevice,
    }),
    requireFact({
      rule: "not-a-numa-node",
      fact: device.numaConfig,
      holds: (fact) => fact === 0,
      good: "the device's memory is no NUMA node of the host",
      bad: "the device's memory is a NUMA node of the host, which can place other pages there",
      remedy: otherDevice,
    }),
    requireFact({
      rule: "virtual-memory-management",
      fact: device.virtualMemoryManagement,
      holds: isTrue,
      good: "the device has virtual memory management",
      bad: "the device has no virtual memory management, so nothing can be mapped read-only",
      remedy: "use a device and driver with virtual memory management",
    }),
    requireFact({
      rule: "ecc",
      fact: device.ecc,
      holds: isTrue,
      good: "ECC is on",
      bad: "ECC is off: a flipped bit is found only by the next verification",
      remedy: "turn ECC on and reboot",
      waived: !policy.requireEcc,
    }),
  ];
}

/** True on ordinary cards, and no violation: an allocation is judged by its own attributes. */
function deviceNotes(device: DeviceFacts): RuleResult[] {
  const notes: readonly (readonly [rule: PolicyRule, fact: boolean | number | null | undefined])[] = [
    ["unified-addressing", device.unifiedAddressing],
    ["managed-memory", device.managedMemory],
    ["concurrent-managed-access", device.concurrentManagedAccess],
    ["can-map-host-memory", device.canMapHostMemory],
    ["pageable-memory-access", device.pageableMemoryAccess],
    ["mps", device.mps],
    ["compute-mode", device.computeMode],
    ["gpu-direct-rdma", device.gpuDirectRdma],
  ];
  return notes.map(([rule, fact]) => report(rule, fact === null || fact === undefined ? "the driver does not tell" : `the device says ${String(fact)}`));
}
