// Writes a long audit log and one a sixteenth as long, verifies each in processes of their own, whole and resumed, and compares the peaks of
// their memory. npm run long-log-test [-- --mebibytes N]. Ends with 1 where the longer log takes over 32 MiB more, or a log is not good.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runProgram } from "./bench/programs.mjs";
import { temporaryFolder } from "./bench/temporary-folder.mjs";
import { writeLog } from "./long-log-test/write-log.mjs";

const TIMES = 16;
const MORE_MAX_MEBIBYTES = 32;
const MEBIBYTE = 2 ** 20;
// With the collector's own threads and sizes, how much garbage waits depends on how busy the machine is.
const COLLECTOR = ["--single-threaded-gc", "--max-semi-space-size=2"];
const VERIFIER = fileURLToPath(new URL("long-log-test/verifier.mjs", import.meta.url));

const { values } = parseArgs({ options: { mebibytes: { type: "string", default: "1024" } } });
const mebibytes = Number(values.mebibytes);
if (!Number.isSafeInteger(mebibytes) || mebibytes < TIMES) {
  console.error(`--mebibytes must be an integer of at least ${TIMES}`);
  process.exit(2);
}

const verify = async (...args) => JSON.parse((await runProgram(process.execPath, [...COLLECTOR, VERIFIER, ...args])).stdout);

/** Writes a log of at least so many bytes, and verifies it. Answers the highest peak, in MiB. */
async function peakOf(dir, leastBytes) {
  const { bytes, segments, seconds, checkpoint } = await writeLog(dir, leastBytes);
  const whole = await verify(dir);
  const resumed = await verify(dir, checkpoint);
  console.log(`${whole.lines} lines, ${bytes} bytes in ${segments} segments, written in ${seconds.toFixed(1)} s`);
  console.log(`  verified in ${whole.seconds.toFixed(1)} s, ${(bytes / 1e6 / whole.seconds).toFixed(0)} MB/s, peak ${whole.peakMebibytes.toFixed(1)} MiB`);
  console.log(`  resumed behind ${resumed.linesSkipped} lines in ${resumed.seconds.toFixed(1)} s, peak ${resumed.peakMebibytes.toFixed(1)} MiB`);
  return Math.max(whole.peakMebibytes, resumed.peakMebibytes);
}

const folder = temporaryFolder("vram-long-log-");
const shorter = await peakOf(join(folder, "shorter"), (mebibytes * MEBIBYTE) / TIMES);
const longer = await peakOf(join(folder, "longer"), mebibytes * MEBIBYTE);
const more = longer - shorter;
const grew = more > MORE_MAX_MEBIBYTES;
console.log(`${grew ? "FAILED  " : ""}the longer log's peak is ${more.toFixed(1)} MiB above the shorter one's, at most ${MORE_MAX_MEBIBYTES} are allowed`);
process.exitCode = grew ? 1 : 0;
