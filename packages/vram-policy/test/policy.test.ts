import { describe, expect, it } from "vitest";
import { PolicyError, assertPolicy, evaluateDevice, evaluatePlacement, evaluateSeal, evaluateSealKey, joinReports, resolvePolicy } from "../src/index.js";
import type { DeviceFacts, PlacementFacts, SealedPlacement } from "../src/index.js";
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

  it("PB-5 VP-005 test_vram_only_enforced a fact that is missing, or of another type, never passes a rule", () => {
    const required = evaluateDevice({ driver: goodDriver, device: goodDevice }, resolvePolicy({ requireEcc: true }))
      .rules.filter(({ verdict, rule }) => verdict === "pass" && rule !== "backend-allowed" && rule !== "driver-trusted")
      .map(({ rule }) => rule);
    expect(required.length).toBe(6);
    const nothing = {} as DeviceFacts;
    expect(violatedRules(evaluateDevice({ driver: goodDriver, device: nothing }, resolvePolicy({ requireEcc: true })))).toEqual(required);
    for (const rule of ["integrated", "pageableMemoryAccessUsesHostPageTables", "directManagedMemAccessFromHost"] as const) {
      const device = { ...goodDevice, [rule]: 0 };
      expect(evaluateDevice({ driver: goodDriver, device }, strict).ok).toBe(false);
    }
    const driver = { ...goodDriver, libraryTrusted: "no" as unknown as boolean };
    expect(violatedRules(evaluateDevice({ driver, device: goodDevice }, strict))).toEqual(["driver-trusted"]);
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

  it.each([null, undefined])("a fact that is %s was not read: the rule says that, not that the fact is bad", (mempool) => {
    const { rules } = evaluatePlacement({ facts: { ...goodPlacement, mempool: mempool as never }, gpuDevice: 0, sealed: sealedPlacement }, strict);
    expect(rules.find(({ rule }) => rule === "no-memory-pool")?.reason).toMatch(/^the driver does not tell whether /);
  });

  it("TT-2 an id that is no text in decimal is no id", () => {
    for (const id of [17, "", "0x11", "17a"]) {
      expect(placement({ bufferId: id as string, blockId: id as string }, false)).toEqual(["same-buffer", "same-block"]);
    }
  });

  it("PB-5 VP-001 test_vram_only_enforced no rule passes on facts that are not there, and every violation has reason and remedy", () => {
    for (const sealed of [null, sealedPlacement]) {
      const { rules } = evaluatePlacement({ facts: goodPlacement, gpuDevice: 0, sealed }, strict);
      const { violations } = evaluatePlacement({ facts: {} as PlacementFacts, gpuDevice: 0, sealed }, strict);
      expect(violations.map(({ rule }) => rule)).toEqual(rules.map(({ rule }) => rule));
      for (const { rule, reason, remedy } of violations) {
        expect(rule).toMatch(/^[a-z]+(-[a-z]+)+$/);
        expect(reason.length).toBeGreaterThan(10);
        expect(remedy).toBeTypeOf("string");
      }
    }
  });

  it("TT-2 test_stale_digest_rejected an id that is no number was not read, also against a sealed one that is missing", () => {
    for (const bufferId of ["", "0x11", "undefined"]) expect(placement({ bufferId }, false)).toEqual(["same-buffer"]);
    const sealed = { blockId: "12", access: "read" } as SealedPlacement;
    expect(violatedRules(evaluatePlacement({ facts: goodPlacement, gpuDevice: 0, sealed }, strict))).toEqual(["same-buffer"]);
  });

  it("VP-001 a shard sealed writable is refused where the policy requires read-only, and waived where it does not", () => {
    const question = {
      facts: { ...goodPlacement, access: "read-write" as const },
      gpuDevice: 0,
      sealed: { ...sealedPlacement, access: "read-write" as const },
    };
    expect(violatedRules(evaluatePlacement(question, strict))).toEqual(["read-only"]);
    const { ok, rules } = evaluatePlacement(question, resolvePolicy({ requireReadOnly: false }));
    expect(ok).toBe(true);
    expect(rules.find(({ rule }) => rule === "read-only")?.verdict).toBe("waived");
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
    expect(evaluateSeal({ expected: null, staging: "pageable" }, strict).ok).toBe(true);
    expect(violatedRules(evaluateSeal({ expected: null, staging: "pageable" }, resolvePolicy({ requireExpected: true })))).toEqual(["expected-digest"]);
    for (const expected of [{ fsverity: "a".repeat(64) }, { sha256: "b".repeat(64) }]) {
      expect(evaluateSeal({ expected, staging: "pageable" }, resolvePolicy({ requireExpected: true })).ok).toBe(true);
    }
  });

  it.each([{}, { fsverity: undefined, sha256: undefined }, { identity: "somebody" }])("is what %j asks for, too", (expected) => {
    expect(violatedRules(evaluateSeal({ expected, staging: "pageable" }, resolvePolicy({ requireExpected: true })))).toEqual(["expected-digest"]);
  });
});

describe("an unlocked seal key", () => {
  it("CI-006 is refused only by requireLockedKey", () => {
    const demanding = resolvePolicy({ requireLockedKey: true });
    for (const locked of [false, undefined, null, "true"]) {
      expect(evaluateSealKey({ locked: locked as boolean }, strict).ok).toBe(true);
      expect(violatedRules(evaluateSealKey({ locked: locked as boolean }, demanding))).toEqual(["seal-key-locked"]);
    }
    expect(evaluateSealKey({ locked: true }, demanding).ok).toBe(true);
  });
});

describe("several reports", () => {
  it("are one with the rules and violations of all", () => {
    const [good, bad] = [true, false].map((locked) => evaluateSealKey({ locked }, resolvePolicy({ requireLockedKey: true })));
    if (good === undefined || bad === undefined) throw new Error("there are two");
    expect(joinReports(good, bad)).toEqual({ ok: false, rules: [...good.rules, ...bad.rules], violations: bad.rules });
    expect(joinReports(good).ok).toBe(true);
  });
});

describe("staging", () => {
  const pinned = { expected: null, staging: "pinned" } as const;

  it("PB-3 VP-003 test_pinned_memory_disabled page-locked staging is refused unless the policy allows it", () => {
    expect(violatedRules(evaluateSeal(pinned, strict))).toEqual(["pageable-staging"]);
    expect(evaluateSeal(pinned, resolvePolicy({ requirePageableStaging: false })).ok).toBe(true);
    expect(evaluateSeal({ expected: null, staging: "pageable" }, strict).ok).toBe(true);
  });

  it.each([undefined, null, "mapped", true])("that is %s is not pageable", (staging) => {
    expect(violatedRules(evaluateSeal({ expected: null, staging: staging as never }, strict))).toEqual(["pageable-staging"]);
  });
});

describe("assertPolicy", () => {
  it("PB-5 throws POLICY_VIOLATION with every violation, and nothing for a good report", () => {
    const question = { driver: goodDriver, device: { ...goodDevice, integrated: true, numaConfig: null } };
    const report = evaluateDevice(question, strict);
    expect(() => { assertPolicy(report); }).toThrow(
      expect.objectContaining({ code: "POLICY_VIOLATION", details: { violations: report.violations } }),
    );
    expect(report.violations.length).toBe(2);
    expect(() => { assertPolicy(evaluateDevice({ ...question, device: goodDevice }, strict)); }).not.toThrow();
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
      requireLockedKey: false,
      requirePageableStaging: true,
      maxSealAgeMs: null,
      maxVerificationAgeMs: 0,
      allowRepair: false,
      afterRepair: "stop",
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
    { requireReadOnly: null },
    { allowBackends: null },
    { [Symbol("requireEcc")]: true },
    Object.defineProperty({}, "trustEverybody", { value: true, enumerable: false }),
    Object.defineProperty({}, "requireEcc", { get: () => { throw new Error("read"); } }),
    { allowBackends: [] },
    { allowBackends: "cuda" },
    { allowBackends: ["rocm"] },
    { maxSealAgeMs: -1 },
    { maxSealAgeMs: Number.NaN },
    { maxSealAgeMs: 2 ** 53 },
    { maxVerificationAgeMs: null },
    { maxVerificationAgeMs: -1 },
    { allowRepair: "yes" },
    { afterRepair: "wait" },
    JSON.parse('{"__proto__":{"requireReadOnly":false},"constructor":1}') as unknown,
  ])("INVALID_CONFIG for %j", (options) => {
    expect(() => resolvePolicy(options)).toThrow(PolicyError);
    expect(() => resolvePolicy(options)).toThrow(expect.objectContaining({ code: "INVALID_CONFIG" }));
  });

  it("names the option, unless its name could carry something", () => {
    const argumentOf = (options: unknown): unknown => {
      try {
        return resolvePolicy(options);
      } catch (error) {
        return error instanceof PolicyError ? error.details["argument"] : error;
      }
    };
    expect(argumentOf({ requireEcc: "yes" })).toBe("policy.requireEcc");
    expect(argumentOf({ requireEec: true })).toBe("policy.requireEec");
    expect(argumentOf({ "\u001b[2J": true })).toBe("policy.*");
    expect(argumentOf({ ["x".repeat(65)]: true })).toBe("policy.*");
  });

  it("does not take options from a prototype", () => {
    expect(resolvePolicy(Object.create({ requireReadOnly: false })).requireReadOnly).toBe(true);
  });
});
