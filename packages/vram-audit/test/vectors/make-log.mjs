// Makes audit-v1, a whole log with edits of it, and proofs.json, proofs of its lines. The key is not kept.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportConsistencyProof, exportInclusionProof, openAuditLog, verifyAuditLog, workerSource } from "../../dist/index.js";

const FIRST = "audit-v1.0000000000000001.jsonl";
const vectors = fileURLToPath(new URL(".", import.meta.url));
const dir = join(vectors, "audit-v1", "log");
rmSync(dir, { recursive: true, force: true });
rmSync(`${dir}.pub`, { force: true });

const digest = "ab".repeat(32);
const gpuUuid = "GPU-00000000-0000-0000-0000-000000000001";
const key = { keyId: "0123456789abcdef", keyLocked: false };
const device = { backend: "simulator", gpuDevice: 0, gpuUuid, kernel: digest, ...key };
const worker = { workerId: "worker-7", instanceId: "cd".repeat(16) };
const shard = { shardId: "shard-0", vramBytes: 4096 };
const placement = { bufferId: "17", blockId: "3", access: "read" };
const events = [
  ["vram.worker.started", "info", "boot:1", { ...worker, ...device, gpuName: "Simulated", driverVersion: "12.4", librarySha256: digest, policy: [{ rule: "backend", verdict: "pass" }] }],
  ["vram.shard.sealed", "info", "request:1", { ...shard, ...device, digest, modelRef: null, sealSequence: 1, placement, expected: null }],
  ["vram.seal.verification_failed", "critical", "request:2", { shardId: "shard-0", reason: "digest", expectedDigest: digest, actualDigest: "ba".repeat(32), rules: [] }],
  ["vram.shard.deallocated", "info", undefined, { ...shard, allocatedBytes: 2097152, wiped: true, lost: false, cause: "closed" }],
  ["vram.worker.stopped", "info", undefined, { ...worker, state: "closed", code: null }],
];
const { privateKey } = generateKeyPairSync("ed25519");
const log = await openAuditLog({ dir, signingKey: privateKey, origin: "example.org/audit" });
for (const [type, severity, correlationid, data] of events) await log.append({ type, severity, correlationid, source: workerSource("worker-7"), data });
await log.close();
rmSync(join(dir, "audit-v1.reserve"));

const write = (name, value) => writeFileSync(join(vectors, name), `${JSON.stringify(value, undefined, 2)}\n`);
const lines = readFileSync(join(dir, FIRST), "utf8").split("\n");
const { head } = await verifyAuditLog({ dir });
const edit = (title, find, replace, line, reason) => ({ title, edits: [{ file: `log/${FIRST}`, find, replace }], problem: { line, reason } });
const { sequence } = JSON.parse(lines[5]);
const link = `"sequence":"${sequence}","prevhash":"`;
const cases = [
  { title: "as written", edits: [], problem: null },
  edit("a value", '"vramBytes":4096', '"vramBytes":4095', 3, "altered"),
  edit("the spelling of a number", '"vramBytes":4096', '"vramBytes":4.096e3', 3, "spelling"),
  edit("white space", '"data":{}', '"data":{ }', 7, "spelling"),
  edit("a field left out", ',"rules":[]', "", 4, "schema"),
  edit("a member that this version does not know", '"data":{}', '"traceparent":"00","data":{}', 7, "schema"),
  edit("the operation of an event", '"correlationid":"request:2"', '"correlationid":"request:3"', 4, "altered"),
  edit("a clock", '"elapsedms":"0"', '"elapsedms":"9"', 1, "altered"),
  edit("a line left out", `${lines[4]}\n`, "", 5, "sequence"),
  edit("the last line left out", `${lines[6]}\n`, "", 7, "truncated"),
  edit("the last newline left out", `${lines[6]}\n`, lines[6], 7, "truncated"),
  edit("another link", link, `${link}0`, 6, "schema"),
  { title: "a signed size", edits: [{ file: "log/audit-v1.checkpoints", find: "audit\n4\n", replace: "audit\n5\n" }], problem: { line: null, reason: "checkpoint" } },
];
const description = "Each case replaces text once in the files of the log beside this file and says what a verifier finds.";
write("audit-v1/cases.json", { description, events: head.size, removed: 0, root: head.root, cases });

const inclusion = await exportInclusionProof({ dir, sequence: 4 });
const consistency = await exportConsistencyProof({ dir, fromSize: 4 });
const [one, four] = readFileSync(join(dir, "audit-v1.checkpoints"), "utf8").match(/(?:.*\n){3}\n— .*\n/g);
const [before, after] = inclusion.split("index 3\n");
const [first, second, ...rest] = after.split("\n");
const withHashes = (index, hashes) => `${before}index ${index}\n${[...hashes, ...rest].join("\n")}`;
const spoilt = (hash) => (hash.startsWith("A") ? "B" : "A") + hash.slice(1);
const [, hash] = consistency.split("\n");
const refused = (title, code, reason, proof, checkpoint) => ({ title, proof, checkpoint, expected: { code, reason } });
const proofs = [
  { title: "a line of the log", proof: inclusion, expected: { kind: "inclusion", sequence: 4, line: lines[3], ...head } },
  refused("the line at another index", "INTEGRITY_VIOLATION", "inclusion", withHashes(4, [first, second])),
  refused("hashes in another order", "INTEGRITY_VIOLATION", "inclusion", withHashes(3, [second, first])),
  refused("a hash too few", "INTEGRITY_VIOLATION", "inclusion", withHashes(3, [second])),
  refused("a size that was not signed", "INTEGRITY_VIOLATION", "checkpoint", inclusion.replace("audit\n7\n", "audit\n8\n")),
  refused("an index with a leading zero", "INVALID_INPUT", "options.proof", withHashes("03", [first, second])),
  { title: "a log that continues an older checkpoint", proof: consistency, checkpoint: four, expected: { kind: "consistency", oldSize: 4, ...head } },
  refused("a checkpoint that the proof does not begin with", "INVALID_INPUT", "options.checkpoint", consistency, one),
  refused("a hash that is not the log's", "INTEGRITY_VIOLATION", "consistency", consistency.replace(hash, spoilt(hash)), four),
];
const about = "Proofs of a log with this public key, and what a verifier makes of each; a checkpoint beside is the older one.";
write("proofs.json", { description: about, publicKey: readFileSync(`${dir}.pub`, "utf8").trim(), cases: proofs });
