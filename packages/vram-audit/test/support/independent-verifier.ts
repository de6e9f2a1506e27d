import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CHECKPOINTS, segmentNames } from "./scratch.js";

const SCRIPT = fileURLToPath(new URL("../../../../scripts/audit-verify.py", import.meta.url));

export interface IndependentVerdict {
  readonly ok: boolean;
  /** The line that the verifier names. */
  readonly line: number | null;
}

/** What the verifier in Python says about a log. */
export async function verifyIndependently(dir: string, publicKey: string, anchor?: string): Promise<IndependentVerdict> {
  const options = ["--public-key", publicKey, "--checkpoints", join(dir, CHECKPOINTS), ...(anchor === undefined ? [] : ["--anchor", anchor])];
  const segments = (await segmentNames(dir)).map((name) => join(dir, name));
  return new Promise((resolve, reject) => {
    execFile("python3", [SCRIPT, ...options, ...segments], (error, stdout, stderr) => {
      if (error === null && stdout.startsWith("good: ")) {
        resolve({ ok: true, line: null });
        return;
      }
      const refused = /^FAILED: (?:line (\d+):)?/.exec(stderr);
      if (refused === null) reject(new Error(`the verifier ended without a verdict: ${stderr}`));
      else resolve({ ok: false, line: refused[1] === undefined ? null : Number(refused[1]) });
    });
  });
}
