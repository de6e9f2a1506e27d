// What is mutated, by package, and which mutants behave as the original does.
export const SCORE = 85;

const sources = (...globs) => [...globs.map((glob) => `src/${glob}`), "!src/**/*.test.ts"];

export const targets = {
  "vram-seal": sources("seal/*.ts", "keys/*.ts", "attestation/*.ts"),
  "vram-policy": sources("*.ts"),
  "vram-audit": sources("log/chain.ts", "note/*.ts", "tree/*.ts"),
  "vram-residency": sources("verify.ts", "hold-verified.ts", "registry.ts", "lifecycle.ts", "worker.ts", "release.ts"),
};

/** Mutants that no input tells from the original: `original` is the mutated code on one line, the rest as the report has it. */
export const EQUIVALENT = [
  { file: "vram-seal/src/attestation/attestation-rules.ts", mutator: "ConditionalExpression", original: "length !== undefined", replacement: "true", reason: "undefined compares false with every number, so the next operand refuses it" },
  { file: "vram-seal/src/attestation/verify-attestation.ts", mutator: "StringLiteral", original: '"be text"', replacement: '""', reason: "whether there is a problem is asked, never which: one message refuses every shape" },
  { file: "vram-seal/src/attestation/verify-attestation.ts", mutator: "StringLiteral", original: '"be one signature"', replacement: '""', reason: "as above" },
  { file: "vram-seal/src/attestation/verify-attestation.ts", mutator: "StringLiteral", original: '"envelope"', replacement: '""', reason: "as above" },
  { file: "vram-seal/src/attestation/verify-attestation.ts", mutator: "StringLiteral", original: '"signature"', replacement: '""', reason: "as above" },
  { file: "vram-seal/src/attestation/verify-attestation.ts", mutator: "ConditionalExpression", original: "signature === undefined", replacement: "false", reason: "recordProblem refuses undefined; the operand is for the compiler" },
  { file: "vram-seal/src/attestation/verify-attestation.ts", mutator: "BlockStatement", original: '{ throw invalidInput("publicKey", expectation); }', replacement: "{}", reason: "the key stays undefined, which the next line refuses with the same error" },
  { file: "vram-seal/src/attestation/attestation-key.ts", mutator: "BlockStatement", original: "{ return undefined; }", replacement: "{}", reason: "a function without a return answers undefined" },
  { file: "vram-seal/src/keys/create-key-file.ts", mutator: "StringLiteral", original: '"anywhere"', replacement: '""', reason: "the place counts for files that are read, and this one is written" },
  { file: "vram-seal/src/keys/from-key-file.ts", mutator: "StringLiteral", original: '"anywhere"', replacement: '""', reason: 'the one place that is asked for is "credential"' },
  { file: "vram-seal/src/keys/from-worker-token.ts", mutator: "ConditionalExpression", original: 'typeof token !== "string"', replacement: "false", reason: "textProblem says the same of what is no string; the test is for the compiler" },
  { file: "vram-seal/src/keys/local-seal-key.ts", mutator: "ConditionalExpression", original: "this.#macKey?.instanceId !== instanceId", replacement: "true", reason: "a cache: the same key is derived again" },
  { file: "vram-policy/src/policy.ts", mutator: "ConditionalExpression", original: 'typeof name !== "string"', replacement: "false", reason: "STRICT has no symbol as a name, so the next operand refuses it" },
  { file: "vram-policy/src/policy.ts", mutator: "ArrayDeclaration", original: "[]", replacement: '["Stryker was here"]', reason: "a list with what is no backend is refused as an empty one is" },
  { file: "vram-policy/src/policy.ts", mutator: "ConditionalExpression", original: 'typeof value === "number"', replacement: "true", reason: "isSafeInteger is false of all that is no number; the operand is for the compiler" },
];
