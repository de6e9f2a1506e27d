// What is mutated, by package, and which mutants behave as the original does.
export const SCORE = 85;

const sources = (...globs) => [...globs.map((glob) => `src/${glob}`), "!src/**/*.test.ts"];

export const targets = {
  "vram-seal": sources("seal/*.ts", "keys/*.ts", "attestation/*.ts"),
  "vram-policy": sources("*.ts"),
  "vram-audit": sources("log/chain.ts", "note/*.ts", "tree/*.ts"),
  "vram-residency": sources("verify.ts", "hold-verified.ts", "registry.ts", "lifecycle.ts", "worker.ts", "release.ts"),
};

/** `{ file, source, mutator, replacement, reason }`, `source` being a part of the mutated line: no input tells them from the original. */
export const EQUIVALENT = [];
