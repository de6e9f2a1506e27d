// Makes audit-v1-segments: a log with rotation from which retention has removed the beginning, and edits of it. The key is not kept.
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openAuditLog, verifyAuditLog } from "../../dist/index.js";

const SHARDS = 20;
const home = fileURLToPath(new URL("audit-v1-segments", import.meta.url));
const dir = join(home, "log");
rmSync(home, { recursive: true, force: true });
mkdirSync(home);

const { privateKey } = generateKeyPairSync("ed25519");
const log = await openAuditLog({ dir, signingKey: privateKey, origin: "example.org/audit", rotate: { bytes: 2000 }, retain: { segments: 3 } });
for (let index = 0; index < SHARDS; index += 1) {
  const data = { shardId: `shard-${index}`, digest: "ab".repeat(32), vramBytes: 4096, durationMs: 1.5 };
  await log.append({ type: "vram.shard.verified", severity: "info", data });
}
await log.close();
rmSync(join(dir, "audit-v1.reserve"));

const names = readdirSync(dir).filter((name) => name.endsWith(".jsonl"));
const firsts = names.map((name) => Number(name.split(".")[1]));
const linesOf = (at) => readFileSync(join(dir, names[at]), "utf8").split("\n");
const lineOf = (at, text) => firsts[at] + linesOf(at).findIndex((line) => line.includes(text));
const edit = (at, find, replace, reason) => ({ edits: [{ file: `log/${names[at]}`, find, replace }], problem: { line: lineOf(at, find), reason } });
const removal = (at, line, reason) => ({ edits: [{ file: `log/${names[at]}`, remove: true }], problem: { line, reason } });

const retired = JSON.parse(linesOf(1).find((line) => line.includes("vram.audit.retired")));
const { events, removed, head } = await verifyAuditLog({ dir });
const cases = [
  { title: "as written", edits: [], problem: null },
  { title: "a value", ...edit(1, '"durationMs":1.5', '"durationMs":2.5', "altered") },
  { title: "a tree before the first line", ...edit(0, '"subtrees":["', '"subtrees":["00', "schema") },
  { title: "a shard that lives across segments", ...edit(1, '"liveShards":[]', '"liveShards":["shard-0"]', "altered") },
  { title: "a record of removal", ...edit(2, '"segments":[{"first":', '"segments":[{"first":1', "altered") },
  { title: "the first segment that is there removed", ...removal(0, firsts[0], "removed") },
  { title: "a segment in the middle removed", ...removal(1, firsts[1], "missing") },
  { title: "the last segment removed, and with it the last record", ...removal(2, retired.data.segments.at(-1).last + 1, "removed") },
];
const description = "As audit-v1; `remove` removes the file. The log is closed, and its first `removed` lines were removed by record.";
writeFileSync(join(home, "cases.json"), `${JSON.stringify({ description, events, removed, root: head.root, cases }, undefined, 2)}\n`);
