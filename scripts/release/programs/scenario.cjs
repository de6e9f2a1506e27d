// Seals a model file on the simulator, verifies it, executes on it, and is refused when one bit has changed.
const assert = require("node:assert/strict");
const { mkdtempSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

function writeModel(path) {
  const header = JSON.stringify({ weight: { dtype: "F32", shape: [64, 64], data_offsets: [0, 16384] } });
  const json = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(16384, 7)]));
}

exports.scenario = async function scenario({ openResidency, generate, openAuditLog, verifyAuditLog, simulator, tamper }) {
  const folder = mkdtempSync(join(process.cwd(), "run-"));
  const path = join(folder, "model.safetensors");
  const dir = join(folder, "audit");
  writeModel(path);
  const residency = await openResidency({
    sealKey: await generate(),
    audit: await openAuditLog({ dir }),
    workerId: "rehearsal",
    driver: simulator(),
    policy: { allowBackends: ["simulator"] },
  });
  const shard = await residency.seal(path);
  await residency.verify(shard);
  const names = await residency.execute(shard, (lease) => [...lease.tensors.keys()]);
  assert.deepEqual(names, ["weight"]);
  await residency.execute(shard, (lease) => tamper(lease.view(lease.tensors.get("weight")), { byteOffset: 4321, bit: 6 }));
  await assert.rejects(residency.execute(shard, () => undefined), { code: "SEAL_VERIFICATION_FAILED" });
  await residency.close();
  assert.equal((await verifyAuditLog({ dir })).ok, true);
  console.log(`Node ${process.versions.node.split(".")[0]}: sealed, verified, executed, refused`);
};
