// Verifies a log and prints what that took: verifier.mjs DIR [CHECKPOINT], resumed from the checkpoint if there is one.
import { readFileSync } from "node:fs";
import { describeProblem, verifyAuditLog } from "../../packages/vram-audit/dist/index.js";

const [dir, checkpoint] = process.argv.slice(2);
const startMs = performance.now();
const { problems, events, linesSkipped } = await verifyAuditLog({ dir, ...(checkpoint !== undefined && { checkpoint, resume: true }) });
const seconds = (performance.now() - startMs) / 1e3;
if (problems.length > 0) throw new Error(problems.map(describeProblem).join("\n"));
// Not process.resourceUsage().maxRSS: Linux counts there what the parent had when it started this process.
const [, peakKibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
console.log(JSON.stringify({ lines: events, linesSkipped, seconds, peakMebibytes: peakKibibytes / 1024 }));
