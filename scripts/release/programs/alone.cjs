// One package alone does what it is for; the others are not there.
const assert = require("node:assert/strict");
const { mkdtempSync } = require("node:fs");
const { join } = require("node:path");

const CHECKS = {
  "vram-audit": async ({ openAuditLog, verifyAuditLog }) => {
    const dir = join(mkdtempSync(join(process.cwd(), "run-")), "trail");
    const log = await openAuditLog({ dir });
    await log.append({ type: "vram.key.retired", severity: "info", data: { keyId: "0123456789abcdef" } });
    await log.close();
    assert.equal((await verifyAuditLog({ dir })).ok, true);
  },
  "vram-policy": ({ evaluatePlacement, resolvePolicy }) => {
    assert.equal(evaluatePlacement({ facts: {}, gpuDevice: 0, sealed: null }, resolvePolicy({})).ok, false);
  },
  "vram-residency": ({ openResidency }) => assert.rejects(openResidency({}), { name: "VramError", kind: "caller" }),
  "vram-seal": async ({ fsverityDigest, generate, sealKeyMemory }) => {
    // The digest of an empty file under Merkle tree parameters of 4096 bytes, as fs-verity has it.
    assert.equal(fsverityDigest(Buffer.alloc(0)), "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95");
    // The addon is in the package.
    assert.notEqual(sealKeyMemory(), "key-object");
    (await generate()).close();
  },
};

/** What is not there: a package that needs it fails to load. */
const ABSENT = { "vram-residency": ["vram-simulator", "prom-client", "@opentelemetry/api", "winston", "pkcs11js"] };

exports.alone = async function alone(name, api) {
  for (const other of ABSENT[name] ?? ["vram-cuda", "vram-residency"]) assert.throws(() => require.resolve(other), { code: "MODULE_NOT_FOUND" });
  await CHECKS[name](api);
  console.log(`Node ${process.versions.node.split(".")[0]}: works alone`);
};

if (require.main === module) {
  const [name] = process.argv.slice(2);
  exports.alone(name, require(name)).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
