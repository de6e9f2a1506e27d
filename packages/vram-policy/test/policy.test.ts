import { describe, expect, it } from "vitest";
import { PolicyError, evaluateDevice, evaluatePlacement, evaluateSeal, resolvePolicy } from "../src/index.js";
import type { DeviceFacts, PlacementFacts } from "../src/index.js";
import { goodDevice, goodDriver, goodPlacement, sealedPlacement } from "./good-facts.js";

const strict = resolvePolicy({});

const violatedRules = ({ violations }: { violations: readonly { rule: string }[] }): string[] => violations.map(({ rule }) => rule);

function placement(change: Partial<PlacementFacts>, sealed = true, policy = strict): string[] {
  const question = { facts: { ...goodPlacement, ...change }, gpuDevice: 0, sealed: sealed ? sealedPlacement : null };
  return violatedRules(evaluatePlacement(question, policy));
}

describe("a device", () => {
  it("VP-005 an ordinary card passes: unified addressing and managed memory support are no violation", () => {
    const report = evaluateDevice({ driver: goodDriver, device: goodDevice }, strict);
    expect(report.ok).toBe(true);
    expect(report.rules.filter(({ verdict }) => verdict === "reported").map(({ rule }) => rule)).toContain("unified-addressing");
  });

  it.each<[keyof DeviceFacts, DeviceFacts[keyof DeviceFacts], string]>([
    ["integrated", true, "not-integrated"],
    ["pageableMemoryAccessUsesHostPageTables", true, "no-host-page-tables"],
    ["directManagedMemAccessFromHost", true, "no-managed-access-from-host"],
    ["numaConfig", 1, "not-a-numa-node"],
    ["virtualMemoryManagement", false, "virtual-memory-management"],
  ])("PB-1 VP-002 test_uma_detection %s = %j violates %s, and so does its absence", (fact, value, rule) => {
    for (const bad of [value, null]) {
      const report = evaluateDevice({ driver: goodDriver, device: { ...goodDevice, [fact]: bad } }, strict);
      expect(violatedRules(report)).toEqual([rule]);
    }
  });

  it("PB-4 VP-005 test_ram_inference_rejected the simulator and a custom library are refused unless allowed", () => {
    for (const backend of ["simulator", "custom"] as const) {
      const driver = { ...goodDriver, backend };
      expect(violatedRules(evaluateDevice({ driver, device: goodDevice }, strict))).toEqual(["backend-allowed"]);
      const allowing = resolvePolicy({ allowBackends: [backend] });
      expect(evaluateDevice({ driver, device: goodDevice }, allowing).ok).toBe(true);
    }
  });

  it("PB-5 test_vram_only_enforced tells every violation at once, each with reason and remedy", () => {
    const driver = { ...goodDriver, libraryTrusted: false };
    const report = evaluateDevice({ driver, device: { ...goodDevice, integrated: true, numaConfig: 1 } }, strict);
    expect(violatedRules(report)).toEqual(["driver-trusted", "not-integrated", "not-a-numa-node"]);
    for (const { reason, remedy } of report.violations) {
      expect(reason.length).toBeGreaterThan(10);
      expect(remedy).toBeTypeOf("string");
    }
  });

  it("ECC is judged only where the policy asks for it", () => {
    const device = { ...goodDevice, ecc: false };
    expect(evaluateDevice({ driver: goodDriver, device }, strict).rules.find(({ rule }) => rule === "ecc")?.verdict).toBe("waived");
    expect(violatedRules(evaluateDevice({ driver: goodDriver, device }, resolvePolicy({ requireEcc: true })))).toEqual(["ecc"]);
  });

  it("names the injection variables that are set", () => {
    const driver = { ...goodDriver, environment: { ...goodDriver.environment, LD_PRELOAD: true } };
    const report = evaluateDevice({ driver, device: goodDevice }, strict);
    expect(report.rules.find(({ rule }) => rule === "injection-variables")).toMatchObject({ verdict: "reported", reason: "set: LD_PRELOAD" });
  });
});

describe("a placement", () => {
  it("VP-001 device memory mapped read-only, as sealed, passes", () => {
    expect(placement({})).toEqual([]);
    expect(placement({}, false)).toEqual([]);
  });

  it.each<[string, keyof PlacementFacts, PlacementFacts[keyof PlacementFacts], string]>([
    ["PB-1 VP-002 test_uma_disabled managed memory", "isManaged", true, "not-managed"],
    ["PB-1 VP-002 unified memory", "memoryType", "unified", "device-memory"],
    ["PB-2 VP-003 test_zero_copy_disabled a host address", "hostPointer", true, "no-host-pointer"],
    ["PB-3 VP-003 test_pinned_memory_disabled host memory", "memoryType", "host", "device-memory"],
    ["VP-001 another device", "deviceOrdinal", 1, "on-device"],
    ["VP-001 a range that is too short", "rangeCoversAllocation", false, "range-covered"],
    ["VP-001 a memory pool", "mempool", true, "no-memory-pool"],
    ["VP-001 an exportable handle", "allowedHandleTypes", 1, "not-exportable"],
    ["VP-001 legacy IPC", "legacyIpcCapable", true, "no-legacy-ipc"],
    ["VP-001 RDMA", "gpuDirectRdmaCapable", true, "no-rdma"],
    ["VP-001 a peer device", "accessibleFromOtherDevices", true, "no-peer-access"],
    ["VP-001 a writable mapping", "access", "read-write", "read-only"],
    ["TT-2 another buffer", "bufferId", "13", "same-buffer"],
    ["TT-2 another block", "blockId", "13", "same-block"],
  ])("%s is refused, and so is a fact that cannot be read", (_, fact, value, rule) => {
    expect(placement({ [fact]: value })).toEqual([rule]);
    expect(placement({ [fact]: null })).toEqual([rule]);
    if (fact !== "bufferId" && fact !== "blockId") expect(placement({ [fact]: value }, false)).toEqual([rule]);
  });

  it("requireReadOnly: false waives a writable mapping while sealing, and nothing else", () => {
    const lax = resolvePolicy({ requireReadOnly: false });
    expect(placement({ access: "read-write" }, false, lax)).toEqual([]);
    expect(placement({ access: "none" }, false, lax)).toEqual(["read-only"]);
    expect(placement({ access: "read-write" }, true, lax)).toEqual(["read-only"]);
  });
});

describe("a seal without an expected digest", () => {
  it("is refused only by requireExpected", () => {
    expect(evaluateSeal({ expected: null }, strict).ok).toBe(true);
    expect(violatedRules(evaluateSeal({ expected: null }, resolvePolicy({ requireExpected: true })))).toEqual(["expected-digest"]);
    expect(evaluateSeal({ expected: {} }, resolvePolicy({ requireExpected: true })).ok).toBe(true);
  });
});

describe("resolvePolicy", () => {
  it("is strict by default and frozen", () => {
    expect(strict).toEqual({
      allowBackends: ["cuda"],
      requireTrustedDriver: true,
      requireEcc: false,
      requireReadOnly: true,
      requireExpected: false,
      maxSealAgeMs: null,
    });
    expect(Object.isFrozen(strict) && Object.isFrozen(strict.allowBackends)).toBe(true);
  });

  it.each([
    null,
    5,
    [],
    { trustEverybody: true },
    { requireEcc: "yes" },
    { requireReadOnly: 0 },
    { allowBackends: [] },
    { allowBackends: "cuda" },
    { allowBackends: ["rocm"] },
    { maxSealAgeMs: -1 },
    { maxSealAgeMs: Number.NaN },
    { maxSealAgeMs: 2 ** 53 },
    JSON.parse('{"__proto__":{"requireReadOnly":false},"constructor":1}') as unknown,
  ])("INVALID_CONFIG for %j", (options) => {
    expect(() => resolvePolicy(options)).toThrow(PolicyError);
    expect(() => resolvePolicy(options)).toThrow(expect.objectContaining({ code: "INVALID_CONFIG" }));
  });

  it("does not take options from a prototype", () => {
    expect(resolvePolicy(Object.create({ requireReadOnly: false })).requireReadOnly).toBe(true);
  });
});
