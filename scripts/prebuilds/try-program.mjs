// Seals on the simulator with whatever processor runs it, verifies, and sees one flipped bit refused.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate, openAuditLog, openResidency } from "../../packages/vram-residency/dist/index.js";
import { simulator } from "../../packages/vram-simulator/dist/index.js";
import { tamper } from "../../packages/vram-simulator/dist/tamper.js";

const folder = mkdtempSync(join(tmpdir(), "vram-try-"));
try {
  const sealKey = await generate();
  const residency = await openResidency({
    sealKey,
    audit: await openAuditLog({ dir: folder }),
    workerId: "try",
    driver: simulator(),
    policy: { allowBackends: ["simulator"] },
  });
  const shard = await residency.seal(randomBytes(20_000));
  await residency.verify(shard);
  await residency.execute(shard, (lease) => tamper(lease.view({ offset: 0, byteLength: shard.vramBytes }), { byteOffset: 4321, bit: 6 }));
  await assert.rejects(residency.verify(shard), ({ code }) => code === "SEAL_VERIFICATION_FAILED");
  await residency.close();
  console.log(`sealed and verified on ${process.platform}-${process.arch}, a key in ${sealKey.locked ? "locked" : "unlocked"} memory; one flipped bit was refused`);
} finally {
  rmSync(folder, { recursive: true });
}
