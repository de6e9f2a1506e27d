import { describe, expect, it } from "vitest";
import { AUDIT_EVENT_TYPES, toOcsf } from "../src/index.js";
import { ENTRIES, entryOf, NEWER_ENTRY } from "./support/entries.js";
import { deallocated, DIGEST, sealed, verified, violated } from "./support/events.js";
import { ocsfProblems } from "./support/ocsf-schema.js";

const EXPECTED = [
  ["vram.shard.sealed", 1004, 1, 1],
  ["vram.shard.resealed", 1004, 99, 1],
  ["vram.shard.verified", 1004, 7, 1],
  ["vram.seal.verification_failed", 2004, 1, 1],
  ["vram.range.verified", 1004, 7, 1],
  ["vram.shard.scrubbed", 1004, 7, 1],
  ["vram.shard.repaired", 1004, 99, 1],
  ["vram.shard.repair_refused", 1004, 99, 2],
  ["vram.device.quarantined", 2004, 1, 1],
  ["vram.allocation.failed", 1004, 1, 2],
  ["vram.shard.deallocated", 1004, 3, 1],
  ["vram.policy.violation", 2003, 1, 1],
  ["vram.worker.started", 6002, 3, 1],
  ["vram.worker.stopped", 6002, 4, 2],
  ["vram.key.rotated", 6002, 99, 1],
  ["vram.key.retired", 6002, 99, 1],
  ["vram.audit.opened", 6002, 3, 1],
  ["vram.audit.recovered", 6002, 99, 1],
  ["vram.audit.rotated", 6002, 99, 1],
  ["vram.audit.retired", 6002, 99, 1],
  ["vram.audit.anchor_failed", 6002, 99, 2],
  ["vram.audit.anchor_restored", 6002, 99, 1],
  ["vram.audit.closed", 6002, 4, 1],
] as const;

describe("OCSF 1.8", () => {
  it.each(EXPECTED)("%s has class %i, activity %i, status %i", (type, class_uid, activity_id, status_id) => {
    const entry = ENTRIES.find(({ envelope }) => envelope.type === type);
    if (entry === undefined) throw new Error("the sample has no such event");
    expect(toOcsf(entry)).toMatchObject({ class_uid, activity_id, status_id, metadata: { version: "1.8.0", event_code: type } });
  });

  it.each(ENTRIES)("has what the class of $envelope.type requires, line $envelope.sequence", (entry) => {
    expect(ocsfProblems(toOcsf(entry))).toEqual([]);
  });

  it("maps every type", () => {
    expect(EXPECTED.map(([type]) => type).toSorted()).toEqual([...AUDIT_EVENT_TYPES].toSorted());
    expect(new Set(ENTRIES.map(({ envelope }) => envelope.type))).toEqual(new Set(AUDIT_EVENT_TYPES));
  });

  it("loses nothing, of a newer version's type neither", () => {
    for (const entry of [...ENTRIES, NEWER_ENTRY]) {
      const { raw_data, unmapped, time, metadata } = toOcsf(entry);
      expect([raw_data, unmapped]).toEqual([entry.line, entry.envelope.data]);
      expect([time, metadata["uid"]]).toEqual([1_767_323_045_678, entry.envelope.id]);
    }
    const newer = toOcsf(NEWER_ENTRY);
    expect(ocsfProblems(newer)).toEqual([]);
    expect(newer).toMatchObject({ class_uid: 0, category_uid: 0, type_uid: 99, activity_name: "vram.shard.migrated", severity_id: 3 });
  });

  it("carries the correlation id", () => {
    const event = toOcsf(entryOf({ ...violated(), correlationid: "request:7" }));
    expect(event.metadata).toMatchObject({ correlation_uid: "request:7" });
    expect(ocsfProblems(event)).toEqual([]);
    expect(toOcsf(entryOf(violated())).metadata).not.toHaveProperty("correlation_uid");
  });

  it("names the SHA-256 of the line, the digests, the GPU and the sizes, never an address", () => {
    const [first] = ENTRIES;
    expect(first && toOcsf(first).raw_data_hash).toMatchObject({ algorithm_id: 3 });
    const failed = ENTRIES.filter(({ envelope }) => envelope.type === "vram.seal.verification_failed").map(toOcsf);
    const print = { algorithm_id: 3, algorithm: "SHA-256", value: DIGEST };
    expect(failed.map(({ evidences }) => evidences)).toMatchObject([
      [{ data: { expected: print, actual: null } }],
      [{ data: { expected: print, actual: print, damage: { blockCount: 2, blocks: [{ index: 0, singleBit: true }, { index: 7, singleBit: null }] } } }],
      [{ data: { expected: null, actual: print } }],
    ]);
    const shard = [{ uid: "shard-0", type: "shard" }];
    expect(failed.map(({ resources }) => resources)).toEqual([shard, shard, undefined]);
    expect(toOcsf(entryOf(sealed("a")))).toMatchObject({ size: 4096, device: { uid: "GPU-00000000-0000-0000-0000-000000000001", type: "GPU" } });
    expect(toOcsf(entryOf(verified("a", 1.5)))).toMatchObject({ size: 4096, duration: 2 });
    expect(toOcsf(entryOf(deallocated("a", { wiped: false })))).toMatchObject({ size: 2_097_152, status_id: 2, severity_id: 5 });
    expect(toOcsf(entryOf(violated()))).toMatchObject({ compliance: { status_id: 3, requirements: ["backend"], status_details: ['the backend is "custom"'] } });
    for (const entry of [...ENTRIES, NEWER_ENTRY]) expect(JSON.stringify(toOcsf(entry))).not.toContain("base_address");
  });
});

describe("the table that exports are checked with", () => {
  const events = new Map(ENTRIES.map((entry) => [toOcsf(entry).class_uid, toOcsf(entry)]));

  it.each([
    [1004, ["activity_id", "actor", "category_uid", "device", "metadata", "process", "severity_id", "time", "type_uid"]],
    [2003, ["compliance", "finding_info"]],
    [2004, ["finding_info", "metadata"]],
    [6002, ["app"]],
  ] as const)("finds what class %i lacks", (classUid, names) => {
    for (const name of names) {
      const lacking = Object.fromEntries(Object.entries(events.get(classUid) ?? {}).filter(([other]) => other !== name));
      expect(ocsfProblems(lacking)).toContain(`${name}: is missing`);
    }
  });

  it.each([
    [{ base_address: "1" }, "base_address: is no attribute"],
    [{ activity_id: 10 }, "activity_id: no value 10"],
    [{ activity_id: 99, activity_name: undefined }, "activity_id: 99 without a name"],
    [{ activity_name: "Read", activity_id: 3 }, 'activity_id: 3 is not "Read"'],
    [{ class_uid: 1005 }, "class_uid: no class 1005"],
    [{ time: 1.5 }, "time: is no integer"],
    [{ device: { type_id: 0 } }, "device.: has none of ip, uid, name, hostname, instance_uid, interface_uid, interface_name"],
    [{ raw_data_hash: { algorithm_id: 3 } }, "raw_data_hash.value: is missing"],
    [{ metadata: { version: "1.8.0", product: {} } }, "metadata.product.: has none of name, uid"],
  ])("finds what is wrong with %j", (change, problem) => {
    expect(ocsfProblems({ ...events.get(1004), ...change })).toContain(problem);
  });
});
