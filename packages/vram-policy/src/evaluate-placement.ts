import type { PlacementFacts, SealedPlacement } from "./facts.js";
import type { Policy } from "./policy.js";
import { isFalse, isTrue, reportOf, requireFact } from "./report.js";
import type { PolicyReport, RuleResult } from "./report.js";
import type { PolicyRule } from "./rules.js";

/** Where a shard lies, and where it should. */
export interface PlacementQuestion {
  readonly facts: PlacementFacts;
  /** Ordinal of the device the shard belongs on. */
  readonly gpuDevice: number;
  /** Where the shard lay when it was sealed; null while it is being sealed. */
  readonly sealed: SealedPlacement | null;
}

/** Judges where one allocation lies, by its own attributes. */
export function evaluatePlacement({ facts, gpuDevice, sealed }: PlacementQuestion, policy: Policy): PolicyReport {
  return reportOf([...residencyRules(facts, gpuDevice), ...sharingRules(facts), ...sealedRules(facts, sealed, policy)]);
}

const SEAL_ANEW = "close this worker, find the code in its process that moved or mapped the memory, and seal in a new one";
const HIDE_DEVICES = "leave one device visible (CUDA_VISIBLE_DEVICES), or find the code that gave another one access";
const MAP_READ_ONLY = "use a driver that maps memory read-only, or set policy.requireReadOnly to false";

const no = (rule: PolicyRule, fact: boolean | null, good: string, bad: string, remedy = SEAL_ANEW): RuleResult =>
  requireFact({ rule, fact, holds: isFalse, good, bad, remedy });

function residencyRules(facts: PlacementFacts, gpuDevice: number): RuleResult[] {
  return [
    requireFact({
      rule: "device-memory",
      fact: facts.memoryType,
      holds: (type) => type === "device",
      good: "the memory is device memory",
      bad: "the memory is not device memory",
      remedy: SEAL_ANEW,
    }),
    no("not-managed", facts.isManaged, "the memory is not managed", "the memory is managed: it can migrate to the host"),
    no("no-host-pointer", facts.hostPointer, "the memory has no host address", "the memory has a host address: it is mapped or pinned host memory"),
    requireFact({
      rule: "on-device",
      fact: facts.deviceOrdinal,
      holds: (ordinal) => ordinal === gpuDevice,
      good: "the memory is on the shard's device",
      bad: "the memory is on another device",
      remedy: SEAL_ANEW,
    }),
    requireFact({
      rule: "range-covered",
      fact: facts.rangeCoversAllocation,
      holds: isTrue,
      good: "the mapped range covers the shard",
      bad: "the mapped range does not cover the shard",
      remedy: SEAL_ANEW,
    }),
    no("no-memory-pool", facts.mempool, "the memory is of no pool", "the memory is of a pool, which can hand it on"),
  ];
}

function sharingRules(facts: PlacementFacts): RuleResult[] {
  return [
    requireFact({
      rule: "not-exportable",
      fact: facts.allowedHandleTypes,
      holds: (types) => types === 0,
      good: "the memory cannot be exported",
      bad: "the memory can be exported to other processes",
      remedy: SEAL_ANEW,
    }),
    no("no-legacy-ipc", facts.legacyIpcCapable, "the memory cannot be shared by IPC", "the memory can be shared by IPC"),
    no("no-rdma", facts.gpuDirectRdmaCapable, "other hardware cannot reach the memory", "other hardware can reach the memory by GPUDirect RDMA"),
    no("no-peer-access", facts.accessibleFromOtherDevices, "no other device can reach the memory", "another device can reach the memory", HIDE_DEVICES),
  ];
}

function sealedRules(facts: PlacementFacts, sealed: SealedPlacement | null, policy: Policy): RuleResult[] {
  return [
    accessRule(facts, sealed, policy),
    idRule("buffer", facts.bufferId, sealed === null ? null : { id: sealed.bufferId }),
    idRule("block", facts.blockId, sealed === null ? null : { id: sealed.blockId }),
  ];
}

function accessRule({ access }: PlacementFacts, sealed: SealedPlacement | null, policy: Policy): RuleResult {
  const asSealed = sealed === null || access === sealed.access;
  return requireFact({
    rule: "read-only",
    fact: access,
    holds: (value) => value === "read" && asSealed,
    good: "the memory is mapped read-only",
    bad: asSealed ? "the memory is not mapped read-only" : "the memory is not mapped as it was sealed",
    remedy: asSealed ? MAP_READ_ONLY : SEAL_ANEW,
    // Without read access nothing could be verified, so only a writable mapping can be waived.
    waived: !policy.requireReadOnly && asSealed && access === "read-write",
  });
}

/** The driver never uses a buffer id twice: another one is other memory, also at the same address. */
function idRule(kind: "buffer" | "block", id: string | null, sealed: { readonly id: string } | null): RuleResult {
  return requireFact({
    rule: `same-${kind}`,
    fact: typeof id === "string" && /^\d+$/.test(id) ? id : null,
    holds: (value) => sealed === null || value === sealed.id,
    good: sealed === null ? `the memory has a ${kind} id` : `the memory is the sealed ${kind}`,
    bad: `the memory is another ${kind} than the sealed one`,
    remedy: SEAL_ANEW,
  });
}
