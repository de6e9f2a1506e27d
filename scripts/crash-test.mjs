// Ends writers of audit logs with kill -9 at random moments, 64 appends in flight, rotation on, retention on in half of the logs; opens each
// log again after every kill. npm run crash-test [-- --kills N] [--seed N]. Ends with 1 where an acknowledged event is lost or a log is not good.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Ledger } from "./crash-test/ledger.mjs";
import { runAndKill } from "./crash-test/writer.mjs";
import { randomFrom } from "./random.mjs";

const KILLS_PER_LOG = 5;
const KEEPING = { rotate: { bytes: 100_000 } };
const RETIRING = { ...KEEPING, retain: { segments: 3 } };

const text = { type: "string" };
const { values } = parseArgs({ options: { kills: { ...text, default: "60" }, seed: { ...text, default: String(Date.now() % 2 ** 31) } } });
const [kills, seed] = [values.kills, values.seed].map(Number);
if (!Number.isSafeInteger(kills) || kills < 2 || !Number.isSafeInteger(seed)) {
  console.error("--kills must be an integer of at least 2, --seed an integer");
  process.exit(2);
}

const random = randomFrom(seed);
const folder = mkdtempSync(join(tmpdir(), "vram-crash-"));
const killsPerLog = Math.min(KILLS_PER_LOG, Math.ceil(kills / 2));
const ledgers = [];
const problems = [];
try {
  for (let kill = 0; kill < kills; kill += 1) {
    const log = Math.floor(kill / killsPerLog);
    ledgers[log] ??= new Ledger(join(folder, `log-${log}`));
    const options = { ...(log % 2 === 0 ? KEEPING : RETIRING), checkpointEvery: { events: 50 } };
    const killed = await runAndKill(ledgers[log].dir, { session: kill, options, random });
    const found = await ledgers[log].judge(killed);
    problems.push(...found.map((problem) => `kill ${kill + 1}, log ${log + 1}: ${problem}`));
  }
} catch (error) {
  problems.push(String(error));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const sum = (count) => ledgers.reduce((total, ledger) => total + ledger[count], 0);
for (const problem of problems) console.log(`FAILED  ${problem}`);
const counts = ["acknowledged", "lost", "retired", "rotations"].map((count) => `${count} ${sum(count)}`);
console.log(`kills ${kills}, logs ${ledgers.length}, ${counts.join(", ")}, seed ${seed}`);
const empty = ["acknowledged", "retired", "rotations"].filter((count) => sum(count) === 0);
for (const count of empty) console.log(`FAILED  ${count}: none, so nothing was tested`);
process.exitCode = problems.length + empty.length === 0 ? 0 : 1;
