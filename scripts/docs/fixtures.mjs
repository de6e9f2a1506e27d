// What the commands and programs of a document find in their folder: a model, keys, a worker's audit log with its anchor, an
// attestation, and the configuration of a service. A machine's folders (/etc, /var/lib and so on) lie there, too.
import { generateKeyPairSync } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { directoryAnchor, fromAttestationKeyFile, fromKeyFile, openAuditLog, openResidency } from "vram-residency";
import { createKeyFile } from "vram-seal";
import { simulator } from "vram-simulator";

/** The verifier's, of `attestation.json`. */
const NONCE = "00112233445566778899aabbccddeeff";
const EXECUTIONS = 20;

const service = {
  workerId: "worker-7",
  sealKey: { credential: "seal-key" },
  audit: { dir: "/var/lib/vram-residency/audit" },
  models: [{ path: "../../model.safetensors", shardId: "model" }],
  serve: { listen: "127.0.0.1:9464" },
};

/** Files that name places of a machine, by name. */
export const PLACED_FILES = { "etc/vram-residency/hold.json": JSON.stringify(service) };

/** Fills an empty folder. */
export async function writeFixtures(folder) {
  const at = (path) => join(folder, path);
  for (const parent of ["var/lib/worker", "var/lib/vram-residency", "mnt/other-host", "credentials"]) {
    mkdirSync(at(parent), { recursive: true, mode: 0o700 });
  }
  const write = (path, data) => writeFileSync(at(path), data, { mode: 0o600 });
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  write("attestation.pem", privateKey.export({ type: "pkcs8", format: "pem" }));
  write("key.pem", publicKey.export({ type: "spki", format: "pem" }));
  write("model.safetensors", model({ "layers.0.weight": [64, 64], "layers.1.weight": [32, 64] }));
  await createKeyFile(at("seal.key"));
  await createKeyFile(at("credentials/seal-key"));
  write("attestation.json", await work(at));
  write("worker-7.pub", readFileSync(at("audit.pub")));
  for (const name of ["audit", "audit.pub", "audit.key"]) cpSync(at(name), at(join("var/lib/worker", name)), { recursive: true });
}

/** A worker's life: it seals, executes, attests and ends. Answers the attestation. */
async function work(at) {
  const residency = await openResidency({
    sealKey: await fromKeyFile(at("seal.key")),
    attestationKey: await fromAttestationKeyFile(at("attestation.pem")),
    audit: await openAuditLog({ dir: at("audit"), anchors: [directoryAnchor(at("mnt/other-host/worker-7")), everyCheckpoint(at)], checkpointEvery: { events: 9 } }),
    workerId: "worker-7",
    driver: simulator(),
    policy: { allowBackends: ["simulator"] },
  });
  try {
    const shard = await residency.seal(at("model.safetensors"), { shardId: "llama-7b-0", modelRef: "hf:org/model@rev" });
    for (let count = 0; count < EXECUTIONS; count += 1) await residency.execute(shard, () => undefined, { correlationId: `request:${count}` });
    return await residency.attest([shard], { nonce: Buffer.from(NONCE, "hex") });
  } finally {
    await residency.close();
  }
}

/** Keeps each checkpoint as `checkpoint-of-N-lines`. */
const everyCheckpoint = (at) => ({
  name: "every",
  keep: ({ size, note }) => writeFile(at(`checkpoint-of-${size}-lines`), note),
});

/** F32 matrices of zeros, `{ name: [rows, columns] }`, as a safetensors file. */
function model(shapes) {
  let end = 0;
  const header = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const begin = end;
    end += 4 * shape[0] * shape[1];
    header[name] = { dtype: "F32", shape, data_offsets: [begin, end] };
  }
  const json = JSON.stringify(header);
  const text = json.padEnd(Math.ceil(json.length / 8) * 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, Buffer.from(text), Buffer.alloc(end)]);
}
