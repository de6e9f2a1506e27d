import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openAuditLog } from "vram-audit";
import { generate, verifyAttestation } from "vram-seal";
import { simulator } from "vram-simulator";
import { resetSimulator, setPointerAttribute, simulatorStats } from "vram-simulator/control";
import { describe, expect, it } from "vitest";
import { openResidency } from "../../src/index.js";
import { backend, eventTypes, eventsOfType, flipSealedBit, itWithFaults, lockedKey, openWorkplace, patternBytes, readEvents, refusal, temporaryFolder } from "../fixture.js";

const BYTES = 9000;
const MIB = 2 ** 20;

/** Opens under the given policy and answers what the trail says of the refusal. */
async function refusedAtOpen(options: object) {
  const auditDir = join(await temporaryFolder(), "audit");
  const given = { sealKey: await generate(), audit: await openAuditLog({ dir: auditDir }), workerId: "w", ...options };
  const error = await refusal(openResidency(given));
  expect(error).toMatchObject({ code: "POLICY_VIOLATION", kind: "fatal" });
  const events = (await readEvents(auditDir)).filter(({ type }) => !type.startsWith("vram.audit."));
  expect(events).toMatchObject([{ type: "vram.policy.violation", severity: "critical", data: { stage: "open" } }]);
  expect(simulatorStats()).toMatchObject({ contexts: 0, allocatedBytes: 0 });
  return { error, events };
}

describe("unified memory", () => {
  itWithFaults.each([
    ["an integrated device", 18],
    ["host page tables", 100],
    ["managed memory reached from the host", 101],
    ["memory as a NUMA node", 130],
  ])("PB-1 VP-002 WORKER-4163 test_uma_detection refuses %s, audits it and starts no worker", async (_, attribute) => {
    resetSimulator({ devices: [{ attributes: { [attribute]: 1 } }] });
    await refusedAtOpen({ driver: simulator(), policy: { allowBackends: ["simulator"] } });
  });

  it("PB-1 VP-002 test_uma_disabled the addon knows no call that could allocate managed or host memory, and page-locks only what it has", async () => {
    const entryPoints = readFileSync(new URL("../../../../native/driver/entry_points.inc", import.meta.url), "utf8");
    expect(entryPoints).toMatch(/^X\(cuMemCreate,/m);
    expect(entryPoints).not.toMatch(/Managed|HostAlloc|AllocHost|HostGetDevicePointer|cuMemAlloc/);
    expect(entryPoints.match(/cuMemHost\w+/g)).toEqual(["cuMemHostRegister_v2", "cuMemHostUnregister"]);
    await openWorkplace();
    const { sharedObjects } = process.report.getReport() as { readonly sharedObjects: readonly string[] };
    const addon = readFileSync(sharedObjects.find((path) => path.endsWith("/vram_cuda.node")) ?? "no addon", "latin1");
    expect(addon).toContain("cuMemCreate");
    for (const symbol of ["cuMemAllocManaged", "cuMemAllocHost", "cuMemHostAlloc", "cuMemHostGetDevicePointer"]) expect(addon).not.toContain(symbol);
  });
});

describe("the placement of a sealed shard", () => {
  itWithFaults.each([
    ["PB-1 test_uma_disabled managed memory", 8, 1],
    ["PB-2 VP-003 test_zero_copy_disabled a host address", 4, 4096],
    ["PB-3 VP-003 test_pinned_memory_disabled host memory", 2, 1],
    ["PB-5 VP-001 test_vram_only_enforced a writable mapping", 16, 3],
  ])("%s is refused at the next verification", async (_, attribute, value) => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(patternBytes(BYTES));
    setPointerAttribute(attribute, value);
    const error = await refusal(place.residency.verify(shard));
    expect(error).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { reason: "placement" } });
    expect(error.details["rules"]).toHaveLength(1);
    expect(place.residency.state).toBe("stopped");
  });

  itWithFaults.each([
    ["PB-1 VP-001 VP-002 test_uma_disabled managed memory", 8, 1],
    ["PB-2 VP-003 test_zero_copy_disabled a host address", 4, 4096],
    ["PB-3 VP-003 test_pinned_memory_disabled host memory", 2, 1],
  ])("%s is refused at seal: the worker stops with its event, and the memory is wiped", async (_, attribute, value) => {
    const place = await openWorkplace();
    setPointerAttribute(attribute, value);
    expect(await refusal(place.residency.seal(patternBytes(BYTES)))).toMatchObject({ code: "POLICY_VIOLATION", kind: "fatal" });
    expect(await eventTypes(place)).toEqual(["vram.worker.started", "vram.policy.violation", "vram.worker.stopped", "vram.shard.deallocated"]);
    expect(simulatorStats().freed.at(-1)).toMatchObject({ zeroed: true });
  });

  itWithFaults.each([2, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 20])(
    "PB-5 VP-001 VP-005 test_vram_only_enforced the attribute %d that cannot be read never passes a rule",
    async (attribute) => {
      const place = await openWorkplace();
      const shard = await place.residency.seal(patternBytes(BYTES));
      setPointerAttribute(attribute, 0, 1);
      expect(await refusal(place.residency.verify(shard))).toMatchObject({ code: "SEAL_VERIFICATION_FAILED" });
    },
  );
});

describe("page-locked memory", () => {
  it("PB-3 VP-003 WORKER-4102 test_pinned_memory_disabled a load leaves no page-locked byte", async () => {
    const locked = () => /^VmLck:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    const pinned = () => /^VmPin:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    const { residency } = await openWorkplace();
    const before = [locked(), pinned()];
    expect(before.every((each) => each !== undefined)).toBe(true);
    const during: unknown[] = [];
    await residency.seal(patternBytes(8 * MIB), { onProgress: () => during.push([locked(), pinned()]) });
    expect(during.length).toBeGreaterThan(0);
    expect([...during, [locked(), pinned()]]).toEqual(Array(during.length + 1).fill(before));
  });
});

describe("host memory instead of a device's", () => {
  itWithFaults("PB-4 VP-004 test_ram_fallback_rejected out of memory fails at once, and nothing is placed in part", async () => {
    const { residency } = await openWorkplace({}, { devices: [{ memoryBytes: 64 * MIB }] });
    const { allocations } = simulatorStats();
    expect(await refusal(residency.seal(Buffer.alloc(80 * MIB)))).toMatchObject({ code: "INSUFFICIENT_VRAM", kind: "retriable" });
    expect(simulatorStats().allocations).toEqual(allocations);
    expect(residency.capacity().usedBytes).toBe(0);
  });

  itWithFaults("PB-4 VP-005 WORKER-4163 test_ram_inference_rejected the default policy refuses the simulator, audits it and starts no worker", async () => {
    resetSimulator();
    const { events } = await refusedAtOpen({ driver: simulator() });
    expect(JSON.stringify(events)).toContain("backend-allowed");
  });

  itWithFaults("PB-4 test_ram_inference_rejected whatever the simulator touches says so", async () => {
    resetSimulator();
    const place = await openWorkplace({ driver: simulator(), policy: { allowBackends: ["simulator"] } });
    const shard = await place.residency.seal(patternBytes(BYTES));
    expect(shard.toJSON().backend).toBe("simulator");
    const events = await place.events();
    const told = events.filter(({ type }) => type === "vram.worker.started" || type === "vram.shard.sealed");
    expect(told).toHaveLength(2);
    for (const event of told) expect(event).toMatchObject({ data: { backend: "simulator" } });
  });
});

describe("an attestation", () => {
  const nonce = randomBytes(32);
  const verifying = { nonce, allowProcessKey: true, allowBackends: ["cuda", "simulator"] } as const;

  it("VP-006 PB-5 test_attestation says to whoever has the public key what was verified after the nonce was known", async () => {
    const place = await openWorkplace();
    const { residency } = place;
    const { shards } = await residency.sealSet([patternBytes(BYTES), patternBytes(10)], { setId: "set" });
    const before = new Date().toISOString();
    const text = await residency.attest(shards, { nonce });
    const { subject, predicate } = verifyAttestation(text, { ...verifying, publicKey: residency.attestationPublicKey });
    expect(subject).toEqual(shards.map(({ shardId, digest }) => ({ name: shardId, digest: { "fsverity-sha256-4096": digest } })));
    expect(predicate.shards.every(({ verifiedAt }) => verifiedAt >= before)).toBe(true);
    expect(await eventsOfType(place, "vram.shard.verified")).toHaveLength(2);
    expect(predicate.auditHead.size).toBe((await place.events()).length);
  });

  it("VP-006 PB-5 test_policy_attestation carries every rule's verdict; by default neither the simulator nor a process's key passes", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(BYTES));
    const options = { nonce, publicKey: residency.attestationPublicKey };
    const text = await residency.attest(shard, { nonce });
    const { policy } = verifyAttestation(text, { ...verifying, ...options }).predicate;
    expect(policy.map(({ rule }) => rule)).toEqual(expect.arrayContaining(["backend-allowed", "driver-trusted", "not-integrated"]));
    expect(policy.map(({ verdict }) => verdict)).not.toContain("violated");
    expect(() => verifyAttestation(text, options)).toThrow(expect.objectContaining({ details: { reason: "process-key" } }));
    expect(() => verifyAttestation(text, { ...options, nonce: Buffer.alloc(16), allowProcessKey: true })).toThrow(expect.objectContaining({ details: { reason: "nonce" } }));
  });

  it("VP-006 CI-007 test_attestation is not made of weights that changed: refused, audited, stopped", async () => {
    const place = await openWorkplace();
    const { residency } = place;
    const shard = await residency.seal(patternBytes(BYTES));
    await flipSealedBit(residency, shard, 17);
    expect(await refusal(residency.attest(shard, { nonce }))).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { reason: "digest" } });
    expect(residency.state).toBe("stopped");
    expect(await eventsOfType(place, "vram.seal.verification_failed")).toMatchObject([{ severity: "critical" }]);
    expect(await refusal(residency.attest(shard, { nonce }))).toMatchObject({ code: "STOPPED" });
  });

  it("VP-006 takes no bad argument, released shard or shard of others", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(BYTES));
    for (const bad of [undefined, {}, { nonce: Buffer.alloc(15) }, { nonce: Buffer.alloc(65) }, { nonce: "0".repeat(32) }, { nonce, more: 1 }]) {
      expect(await refusal(residency.attest(shard, bad as never))).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
    }
    for (const bad of [[], [shard, shard], undefined, 5]) {
      expect(await refusal(residency.attest(bad as never, { nonce }))).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
    }
    expect(await refusal(residency.attest(shard, { nonce, signal: AbortSignal.abort() }))).toMatchObject({ code: "ABORTED" });
    await shard.close();
    expect(await refusal(residency.attest(shard, { nonce }))).toMatchObject({ code: "NOT_SEALED" });
    expect(residency.state).toBe("ready");
  });

  it("VP-006 waits with a release until it is signed", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(4096 * 100));
    const attesting = residency.attest(shard, { nonce });
    await Promise.all([expect(attesting).resolves.toContain("signatures"), shard.close()]);
    expect(shard.sealed).toBe(false);
  });
});

describe("the policy", () => {
  it("PB-5 VP-005 test_vram_only_enforced every rule has a verdict in the trail of a worker that started", async () => {
    const place = await openWorkplace();
    const [started] = await eventsOfType(place, "vram.worker.started");
    const policy = started !== undefined && "policy" in started.data ? (started.data.policy as { rule: string; verdict: string }[]) : [];
    expect(policy.map(({ rule }) => rule)).toEqual(expect.arrayContaining(["backend-allowed", "not-integrated", "no-host-page-tables"]));
    expect(policy.every(({ verdict }) => verdict !== "violated")).toBe(true);
  });

  itWithFaults("PB-3 VP-003 test_pinned_memory_disabled staging is page-locked only where the policy allows it, and never after the load", async () => {
    const bytes = patternBytes(3 * 2 ** 20);
    const strict = await openWorkplace();
    const path = await strict.model(bytes);
    const error = await refusal(strict.residency.seal(path, { staging: "pinned" }));
    expect(error).toMatchObject({ code: "POLICY_VIOLATION" });
    expect(simulatorStats().calls["cuMemHostRegister_v2"] ?? 0).toBe(0);

    const allowing = await openWorkplace({ policy: { ...backend.policy, requirePageableStaging: false } });
    const lockedBytes: number[] = [];
    const shard = await allowing.residency.seal(path, {
      staging: "pinned",
      onProgress: ({ phase }) => {
        if (phase === "load") lockedBytes.push(simulatorStats().pageLockedBytes);
      },
    });
    expect(lockedBytes[0]).toBe(bytes.length);
    expect(simulatorStats()).toMatchObject({ pageLockedBytes: 0, calls: { cuMemHostRegister_v2: 1, cuMemHostUnregister: 1 } });
    await allowing.residency.verify(shard);
  });

  it("CI-006 requireLockedKey refuses an unlocked seal key, and the worker does not start", async () => {
    const folder = await temporaryFolder();
    const audit = await openAuditLog({ dir: join(folder, "audit") });
    const sealKey = lockedKey(await generate(), false);
    const error = await refusal(openResidency({ workerId: "w", ...backend, policy: { ...backend.policy, requireLockedKey: true }, sealKey, audit }));
    expect(error).toMatchObject({ code: "POLICY_VIOLATION", details: { violations: [{ rule: "seal-key-locked" }] } });
    const types = (await readEvents(join(folder, "audit"))).map(({ type }) => type);
    expect(types).toEqual(["vram.audit.opened", "vram.policy.violation", "vram.audit.closed"]);
  });

  it("PB-5 requireExpected refuses a seal without an expected digest, and stops", async () => {
    const { residency } = await openWorkplace({ policy: { ...backend.policy, requireExpected: true } });
    expect(await refusal(residency.seal(patternBytes(BYTES)))).toMatchObject({ code: "POLICY_VIOLATION" });
    expect(residency.state).toBe("stopped");
  });
});
