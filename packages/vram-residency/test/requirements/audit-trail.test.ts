import { join } from "node:path";
import { openAuditLog, verifyAuditLog } from "vram-audit";
import { fsverityDigest, generate } from "vram-seal";
import type { Seal } from "vram-seal";
import { simulator } from "vram-simulator";
import { failCall, resetSimulator, setPointerAttribute } from "vram-simulator/control";
import { describe, expect, it } from "vitest";
import { openResidency } from "../../src/index.js";
import type { SealedShard } from "../../src/index.js";
import { backend, eventsOfType, flipSealedBit, itWithFaults, openWorkplace, patternBytes, readEvents, refusal, temporaryFolder } from "../fixture.js";
import type { Workplace } from "../fixture.js";

const bytes = patternBytes(9000);

async function expectGood({ auditDir }: Workplace): Promise<void> {
  expect(await verifyAuditLog({ dir: auditDir })).toMatchObject({ ok: true });
}

it("WORKER-4160 test_seal_audited every seal is in the trail when it is given", async () => {
  const place = await openWorkplace();
  for (const shardId of ["a", "b"]) {
    await place.residency.seal(bytes, { shardId, modelRef: "test:m" });
    expect((await eventsOfType(place, "vram.shard.sealed")).at(-1)).toMatchObject({
      severity: "info",
      data: { shardId, modelRef: "test:m", digest: fsverityDigest(bytes), vramBytes: bytes.length, expected: null },
    });
  }
});

describe("a failed verification", () => {
  const flipped = (base64: string): string => {
    const copy = Buffer.from(base64, "base64");
    copy.writeUInt8(copy.readUInt8(0) ^ 1, 0);
    return copy.toString("base64");
  };
  type Spoil = (place: Workplace, shard: SealedShard) => Promise<SealedShard | Seal> | SealedShard | Seal;
  const causes: Record<string, Spoil> = {
    shape: () => ({}) as Seal,
    mac: (_, { seal }) => ({ ...seal, mac: flipped(seal.mac) }),
    unknown_shard: async (_, shard) => {
      await shard.close();
      return shard.seal;
    },
    digest: async ({ residency }, shard) => {
      await flipSealedBit(residency, shard, 1);
      return shard;
    },
  };
  const faults: Record<string, Spoil> = {
    placement: (_, shard) => {
      setPointerAttribute(8, 1);
      return shard;
    },
    driver: (_, shard) => {
      failCall({ entryPoint: "cuLaunchKernel", code: 1 });
      return shard;
    },
  };

  async function expectAudited(reason: string, spoil: Spoil): Promise<void> {
    const place = await openWorkplace();
    const shard = await place.residency.seal(bytes, { shardId: "s" });
    const target = await spoil(place, shard);
    expect(await refusal(place.residency.verify(target))).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { reason } });
    expect(await eventsOfType(place, "vram.seal.verification_failed")).toMatchObject([{ severity: "critical", data: { reason } }]);
    expect(await eventsOfType(place, "vram.worker.stopped")).toMatchObject([{ severity: "critical", data: { code: "SEAL_VERIFICATION_FAILED" } }]);
    expect(place.residency.state).toBe("stopped");
    await place.residency.close();
    await expectGood(place);
  }

  it.each(Object.entries(causes))("WORKER-4161 WORKER-4122 test_verification_failure_audited by its %s is critical in the trail, and stops the worker", expectAudited);

  itWithFaults.each(Object.entries(faults))(
    "WORKER-4161 WORKER-4122 test_verification_failure_audited by its %s is critical in the trail, and stops the worker",
    expectAudited,
  );

  it("WORKER-4161 test_verification_failure_audited by its age is critical in the trail, and stops the worker", async () => {
    const place = await openWorkplace({ policy: { ...backend.policy, maxSealAgeMs: 1 } });
    const shard = await place.residency.seal(bytes);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await refusal(place.residency.verify(shard))).toMatchObject({ details: { reason: "age" } });
    expect(await eventsOfType(place, "vram.seal.verification_failed")).toMatchObject([{ severity: "critical", data: { reason: "age" } }]);
  });
});

it("WORKER-4162 RP-005 test_deallocation_audited every deallocation is in the trail: released, undone, closed", async () => {
  const place = await openWorkplace();
  const { residency } = place;
  const released = await residency.seal(bytes, { shardId: "released" });
  await Promise.all([released.close(), released.close()]);
  await refusal(residency.seal(bytes, { shardId: "undone", expect: { fsverity: "0".repeat(64) } }));
  await residency.seal(bytes, { shardId: "closed" });
  await residency.close();
  const events = await eventsOfType(place, "vram.shard.deallocated");
  expect(events.map(({ data }) => data)).toMatchObject(["released", "undone", "closed"].map((cause) => ({ shardId: cause, cause, wiped: true, lost: false })));
});

itWithFaults("WORKER-4163 test_policy_violation_audited a violation at open is critical in the trail, and no worker starts", async () => {
  resetSimulator();
  const auditDir = join(await temporaryFolder(), "audit");
  const opening = openResidency({ sealKey: await generate(), audit: await openAuditLog({ dir: auditDir }), workerId: "w", driver: simulator() });
  expect(await refusal(opening)).toMatchObject({ code: "POLICY_VIOLATION", kind: "fatal" });
  const events = (await readEvents(auditDir)).filter(({ type }) => !type.startsWith("vram.audit."));
  expect(events).toMatchObject([{ type: "vram.policy.violation", severity: "critical", data: { stage: "open" } }]);
});

it("RP-005 test_audit_trail the trail of a whole life is in order, chained and signed", async () => {
  const place = await openWorkplace();
  const { residency } = place;
  const shard = await residency.seal(bytes);
  await residency.execute(shard, () => undefined);
  await shard.close();
  await residency.close();
  const events = await place.events();
  expect(events.map(({ type }) => type)).toEqual([
    ...["vram.audit.opened", "vram.worker.started", "vram.shard.sealed", "vram.shard.verified"],
    ...["vram.shard.deallocated", "vram.worker.stopped", "vram.audit.closed"],
  ]);
  const sequences = events.map(({ sequence }) => Number(sequence));
  expect(sequences).toEqual(sequences.map((_, index) => index + (sequences[0] ?? 0)));
  await expectGood(place);
});

it("WORKER-4110 the record of a shard of a set has its place in it", async () => {
  const { residency } = await openWorkplace();
  const { shards } = await residency.sealSet([bytes, bytes], { setId: "set", modelRef: "test:m" });
  expect(shards.map((shard) => shard.toJSON())).toMatchObject(
    [0, 1].map((shardIndex) => ({
      ...{ shardId: `set-${shardIndex}`, modelRef: "test:m", gpuDevice: 0, vramBytes: bytes.length, sealed: true },
      ...{ digest: fsverityDigest(bytes), digestAlgorithm: "fsverity-sha256-4096", shardIndex, totalShards: 2 },
    })),
  );
});
