// The contract tests become what a bundle for a GPU has: all that they import is there, and what is left out exists.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleTests } from "../gpu/bundle-tests.mjs";

export async function checkGpuTests() {
  const folder = mkdtempSync(join(tmpdir(), "vram-gpu-tests-"));
  try {
    const { tests } = await bundleTests(folder);
    return tests.length > 0 ? [] : ["no test is bundled"];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
