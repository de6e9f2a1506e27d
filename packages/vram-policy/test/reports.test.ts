import { describe, expect, it } from "vitest";
import { POLICY_RULES, PolicyError, assertPolicy, createCapacity, evaluateDevice, evaluatePlacement, evaluateSeal, evaluateSealKey, resolvePolicy } from "../src/index.js";
import type { DeviceFacts, PlacementFacts, PolicyOptions, PolicyReport } from "../src/index.js";
import { goodDevice, goodDriver, goodPlacement, sealedPlacement } from "./good-facts.js";

const badDevice: DeviceFacts = {
  ...{ integrated: true, pageableMemoryAccessUsesHostPageTables: true, directManagedMemAccessFromHost: true, numaConfig: 1 },
  ...{ virtualMemoryManagement: false, ecc: false, mps: true, computeMode: 3, gpuDirectRdma: false, unifiedAddressing: false },
  ...{ managedMemory: false, concurrentManagedAccess: false, canMapHostMemory: false, pageableMemoryAccess: false },
};
const badDriver = { backend: "custom", libraryTrusted: false, environment: { CUDA_INJECTION64_PATH: true, CUDA_FORCE_PTX_JIT: true, LD_PRELOAD: true } } as const;
const badPlacement: PlacementFacts = {
  ...{ memoryType: "host", isManaged: true, hostPointer: true, deviceOrdinal: 1, rangeCoversAllocation: false, allowedHandleTypes: 1 },
  ...{ legacyIpcCapable: true, gpuDirectRdmaCapable: true, mempool: true, access: "read-write", accessibleFromOtherDevices: true },
  ...{ bufferId: "99", blockId: "98" },
};
const nothing = <T>(facts: T): T => Object.fromEntries(Object.keys(facts as object).map((name) => [name, null])) as T;

const policies: Record<string, PolicyOptions> = {
  strict: {},
  lenient: { allowBackends: ["custom", "simulator"], requireTrustedDriver: false, requireReadOnly: false },
  demanding: { requireEcc: true, requireExpected: true, requireLockedKey: true, maxSealAgeMs: 0 },
};

/** Every sentence that a report can say, and every remedy. */
describe("PB-5 test_vram_only_enforced reports", () => {
  it.each(Object.entries(policies))("under a %s policy are the ones on file", async (name, options) => {
    const policy = resolvePolicy(options);
    const drivers = { goodDriver, badDriver, untrusted: { ...goodDriver, libraryTrusted: false }, noDriver: { ...badDriver, libraryTrusted: null as never } };
    const devices = { goodDevice, badDevice, noDevice: nothing(goodDevice), absent: {} as DeviceFacts };
    const placements = { goodPlacement, badPlacement, noPlacement: nothing(goodPlacement), reading: { ...goodPlacement, access: "none" as const } };
    const sealings = { unsealed: null, sealed: sealedPlacement, "sealed writable": { ...sealedPlacement, access: "read-write" as const } };
    const reports: (readonly [question: string, report: PolicyReport])[] = [
      ...Object.entries(drivers).flatMap(([driverName, driver]) =>
        Object.entries(devices).map(([deviceName, device]) => [`${driverName}, ${deviceName}`, evaluateDevice({ driver, device }, policy)] as const),
      ),
      ...Object.entries(placements).flatMap(([placementName, facts]) =>
        Object.entries(sealings).map(([sealing, sealed]) => [`${placementName}, ${sealing}`, evaluatePlacement({ facts, gpuDevice: 0, sealed }, policy)] as const),
      ),
      ...[null, { sha256: "0" }, { fsverity: "0" }].map((expected) => [`expect ${JSON.stringify(expected)}`, evaluateSeal({ expected, staging: "pageable" }, policy)] as const),
      ["staging pinned", evaluateSeal({ expected: { sha256: "0" }, staging: "pinned" }, policy)] as const,
      ...[true, false, null as never].map((locked) => [`key locked ${String(locked)}`, evaluateSealKey({ locked }, policy)] as const),
    ];
    const verdicts = reports.map(([question, { ok, rules, violations }]) => `${question}: ${ok ? "ok" : violations.length} ${rules.map(({ rule, verdict }) => `${rule}=${verdict}`).join(" ")}`);
    const sentences = reports.flatMap(([, { rules }]) => rules.map(({ rule, reason, remedy }) => `${rule}: ${reason} (${remedy ?? "no remedy"})`));
    await expect(`${[...verdicts, "", ...new Set(sentences)].join("\n")}\n`).toMatchFileSnapshot(`vectors/reports-${name}.txt`);
  });

  it("name the rules of the list, and all of them", () => {
    const policy = resolvePolicy({});
    const reports = [
      evaluateDevice({ driver: goodDriver, device: goodDevice }, policy),
      evaluatePlacement({ facts: goodPlacement, gpuDevice: 0, sealed: null }, policy),
      evaluateSeal({ expected: null, staging: "pageable" }, policy),
      evaluateSealKey({ locked: true }, policy),
    ];
    expect(reports.flatMap(({ rules }) => rules.map(({ rule }) => rule)).sort()).toEqual([...POLICY_RULES].sort());
  });

  it("are frozen, with their rules", () => {
    const report = evaluateDevice({ driver: badDriver, device: goodDevice }, resolvePolicy({}));
    expect([report, report.rules, report.violations, ...report.rules].every(Object.isFrozen)).toBe(true);
  });
});

describe("policy errors", () => {
  const errorOf = (act: () => unknown): PolicyError => {
    try {
      act();
    } catch (error) {
      if (error instanceof PolicyError) return error;
    }
    throw new Error("expected a PolicyError");
  };
  const capacity = createCapacity({ totalBytes: 100, reserveBytes: 0 });

  it("say which rules, options and numbers, each in its own words", async () => {
    const errors = {
      violated: () => {
        assertPolicy(evaluateDevice({ driver: badDriver, device: badDevice }, resolvePolicy({})));
      },
      unknown: () => resolvePolicy({ trustEverybody: true }),
      noName: () => resolvePolicy({ "a\nb": true }),
      notAnObject: () => resolvePolicy([]),
      notText: () => resolvePolicy("strict"),
      nothing: () => resolvePolicy(null),
      getter: () => resolvePolicy({ get requireEcc() { return true; } }),
      hidden: () => resolvePolicy(new Proxy({}, { ownKeys: () => ["requireEcc"], getOwnPropertyDescriptor: () => undefined })),
      backends: () => resolvePolicy({ allowBackends: [] }),
      backend: () => resolvePolicy({ allowBackends: ["cuda", "host"] as never }),
      backendText: () => resolvePolicy({ allowBackends: "cuda" as never }),
      flag: () => resolvePolicy({ requireEcc: 1 as never }),
      age: () => resolvePolicy({ maxSealAgeMs: -1 }),
      ageText: () => resolvePolicy({ maxSealAgeMs: "1" as never }),
      ageFraction: () => resolvePolicy({ maxSealAgeMs: 0.5 }),
      shortage: () => capacity.reserve(101),
      size: () => capacity.reserve(0),
      free: () => capacity.reserve(1, { freeBytes: -1 }),
      total: () => createCapacity({ totalBytes: 0, reserveBytes: 0 }),
      reserve: () => createCapacity({ totalBytes: 1, reserveBytes: -1 }),
    };
    const told = Object.entries(errors).map(([name, act]) => {
      const error = errorOf(act);
      const { code, message, details } = error;
      expect(error.name).toBe("PolicyError");
      expect(Object.isFrozen(details)).toBe(true);
      return { name, code, message, details };
    });
    await expect(`${JSON.stringify(told, null, 1)}\n`).toMatchFileSnapshot("vectors/errors.json");
  });

  it("are none for what is allowed", () => {
    expect(resolvePolicy({ maxSealAgeMs: 0 }).maxSealAgeMs).toBe(0);
    expect(resolvePolicy({ maxSealAgeMs: null, allowBackends: undefined as never })).toEqual(resolvePolicy({}));
  });
});
