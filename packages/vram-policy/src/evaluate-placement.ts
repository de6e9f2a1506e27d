import type { PlacementFacts, SealedPlacement } from "./facts.js";
import type { Policy } from "./policy.js";
import { reportOf, requireFact } from "./report.js";
import type { PolicyReport, RequiredFact, RuleResult } from "./report.js";

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

const no = (rule: string, fact: boolean | null, good: string, bad: string): RuleResult =>
  requireFact({ rule, fact, holds: (value) => !value, good, bad });

function residencyRules(facts: PlacementFacts, gpuDevice: number): RuleResult[] {
  return [
    requireFact({
      rule: "device-memory",
      fact: facts.memoryType,
      holds: (type) => type === "device",
      good: "the memory is device memory",
      bad: "the memory is not device memory",
    }),
    no("not-managed", facts.isManaged, "the memory is not managed", "the memory is managed: it can migrate to the host"),
    no("no-host-pointer", facts.hostPointer, "the memory has no host address", "the memory has a host address: it is mapped or pinned host memory"),
    requireFact({
      rule: "on-device",
      fact: facts.deviceOrdinal,
      holds: (ordinal) => ordinal === gpuDevice,
      good: "the memory is on the shard's device",
      bad: "the memory is on another device",
    }),
    requireFact({
      rule: "range-covered",
      fact: facts.rangeCoversAllocation,
      holds: Boolean,
      good: "the mapped range covers the shard",
      bad: "the mapped range does not cover the shard",
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
    }),
    no("no-legacy-ipc", facts.legacyIpcCapable, "the memory cannot be shared by IPC", "the memory can be shared by IPC"),
    no("no-rdma", facts.gpuDirectRdmaCapable, "other hardware cannot reach the memory", "other hardware can reach the memory by GPUDirect RDMA"),
    no("no-peer-access", facts.accessibleFromOtherDevices, "no other device can reach the memory", "another device can reach the memory"),
  ];
}

function sealedRules(facts: PlacementFacts, sealed: SealedPlacement | null, policy: Policy): RuleResult[] {
  return [
    sealed === null ? readOnlyRule(facts, policy) : accessRule(facts, sealed),
    requireFact(idRule("buffer", facts.bufferId, sealed?.bufferId)),
    requireFact(idRule("block", facts.blockId, sealed?.blockId)),
  ];
}

function readOnlyRule({ access }: PlacementFacts, policy: Policy): RuleResult {
  return requireFact({
    rule: "read-only",
    fact: access,
    holds: (value) => value === "read",
    good: "the memory is mapped read-only",
    bad: "the memory is not mapped read-only",
    // Without read access nothing could be verified, so only a writable mapping can be waived.
    waived: !policy.requireReadOnly && access === "read-write",
  });
}

function accessRule({ access }: PlacementFacts, sealed: SealedPlacement): RuleResult {
  return requireFact({
    rule: "read-only",
    fact: access,
    holds: (value) => value === sealed.access,
    good: "the memory is mapped as it was sealed",
    bad: "the memory is not mapped as it was sealed",
  });
}

/** The driver never uses a buffer id twice: another one is other memory, also at the same address. */
function idRule(kind: "buffer" | "block", id: string | null, sealedId: string | undefined): RequiredFact<string> {
  return {
    rule: `same-${kind}`,
    fact: id,
    holds: (value) => sealedId === undefined || value === sealedId,
    good: `the memory is the sealed ${kind}`,
    bad: `the memory is another ${kind} than the sealed one`,
  };
}
