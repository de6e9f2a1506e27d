// What is mutated, by package, and which mutants behave as the original does.
export const SCORE = 85;

const sources = (...globs) => [...globs.map((glob) => `src/${glob}`), "!src/**/*.test.ts"];

export const targets = {
  "vram-seal": sources("seal/*.ts", "keys/*.ts", "attestation/*.ts", "approval/*.ts"),
  "vram-policy": sources("*.ts"),
  "vram-audit": sources("log/chain.ts", "note/*.ts", "tree/*.ts"),
  "vram-residency": sources("approval.ts", "verify.ts", "verify-now.ts", "verify-range.ts", "read-device.ts", "check-seal.ts", "repair.ts", "hold-verified.ts", "registry.ts", "lifecycle.ts", "worker.ts", "release.ts"),
};

/** Mutants that no input tells from the original: `original` is the mutated code on one line, the rest as the report has it. */
export const EQUIVALENT = [
  { file: "vram-seal/src/attestation/attestation-rules.ts", mutator: "ConditionalExpression", original: "length !== undefined", replacement: "true", reason: "undefined compares false with every number, so the next operand refuses it" },
  { file: "vram-seal/src/attestation/verify-attestation.ts", mutator: "StringLiteral", original: '"be text"', replacement: '""', reason: "whether there is a problem is asked, never which: one message refuses every shape" },
  { file: "vram-seal/src/attestation/verify-attestation.ts", mutator: "StringLiteral", original: '"be one signature"', replacement: '""', reason: "whether there is a problem is asked, never which: one message refuses every shape" },
  { file: "vram-seal/src/attestation/verify-attestation.ts", mutator: "StringLiteral", original: '"envelope"', replacement: '""', reason: "whether there is a problem is asked, never which: one message refuses every shape" },
  { file: "vram-seal/src/attestation/verify-attestation.ts", mutator: "StringLiteral", original: '"signature"', replacement: '""', reason: "whether there is a problem is asked, never which: one message refuses every shape" },
  { file: "vram-seal/src/attestation/verify-attestation.ts", mutator: "ConditionalExpression", original: "signature === undefined", replacement: "false", reason: "recordProblem refuses undefined; the operand is for the compiler" },
  { file: "vram-seal/src/keys/public-key.ts", mutator: "BlockStatement", original: "{ return undefined; }", replacement: "{}", reason: "a function without a return answers undefined" },
  { file: "vram-seal/src/attestation/attestation-key.ts", mutator: "BlockStatement", original: "{ return undefined; }", replacement: "{}", reason: "a function without a return answers undefined" },
  { file: "vram-seal/src/keys/create-key-file.ts", mutator: "StringLiteral", original: '"anywhere"', replacement: '""', reason: "the place counts for files that are read, and this one is written" },
  { file: "vram-seal/src/keys/from-key-file.ts", mutator: "StringLiteral", original: '"anywhere"', replacement: '""', reason: 'the one place that is asked for is "credential"' },
  { file: "vram-seal/src/keys/from-worker-token.ts", mutator: "ConditionalExpression", original: 'typeof token !== "string"', replacement: "false", reason: "textProblem says the same of what is no string; the test is for the compiler" },
  { file: "vram-seal/src/keys/key-object-seal-key.ts", mutator: "ConditionalExpression", original: "this.#macKey?.instanceId !== instanceId", replacement: "true", reason: "a cache: the same key is derived again" },
  { file: "vram-policy/src/policy.ts", mutator: "ConditionalExpression", original: 'typeof name !== "string"', replacement: "false", reason: "STRICT has no symbol as a name, so the next operand refuses it" },
  { file: "vram-policy/src/policy.ts", mutator: "ArrayDeclaration", original: "[]", replacement: '["Stryker was here"]', reason: "a list with what is no backend is refused as an empty one is" },
  { file: "vram-policy/src/policy.ts", mutator: "ConditionalExpression", original: 'typeof value === "number"', replacement: "true", reason: "isSafeInteger is false of all that is no number; the operand is for the compiler" },
  { file: "vram-audit/src/note/signed-note.ts", mutator: "StringLiteral", original: '""', replacement: '"Stryker was here!"', reason: "both groups of the pattern always match; the default is for the compiler" },
  { file: "vram-audit/src/note/signed-note.ts", mutator: "StringLiteral", original: '"foreign"', replacement: '""', reason: "what is neither wrong nor good is passed over, whatever it is called" },
  { file: "vram-audit/src/note/signed-note.ts", mutator: "ConditionalExpression", original: "signature.length === SIGNATURE_BYTES", replacement: "true", reason: "Ed25519 verifies no signature of another length" },
  { file: "vram-audit/src/note/verifier-key.ts", mutator: "StringLiteral", original: '""', replacement: '"Stryker was here!"', reason: "an Ed25519 JWK has its x, and every group of the pattern always matches; the default is for the compiler" },
  { file: "vram-audit/src/note/verifier-key.ts", mutator: "ConditionalExpression", original: 'key.type === "private"', replacement: "false", reason: "the JWK of a private key has the same x" },
  { file: "vram-audit/src/note/verifier-key.ts", mutator: "StringLiteral", original: '"private"', replacement: '""', reason: "the JWK of a private key has the same x" },
  { file: "vram-audit/src/note/checkpoint.ts", mutator: "StringLiteral", original: '""', replacement: '"Stryker was here!"', reason: "where a line is absent its size or root is refused too" },
  { file: "vram-audit/src/note/checkpoint.ts", mutator: "ArrayDeclaration", original: "[]", replacement: '["Stryker was here"]', reason: "without a size and a root an origin is refused" },
  { file: "vram-audit/src/note/checkpoint.ts", mutator: "ConditionalExpression", original: "rest.length > 0", replacement: "true", reason: "the text of a note ends in a newline, so something follows a third line" },
  { file: "vram-audit/src/note/checkpoint.ts", mutator: "EqualityOperator", original: "rest.length > 0", replacement: "rest.length >= 0", reason: "the text of a note ends in a newline, so something follows a third line" },
  { file: "vram-audit/src/tree/merkle-tree.ts", mutator: "ConditionalExpression", original: "left !== undefined", replacement: "true", reason: "there is a subtree for every one bit of the size; the test is for the compiler" },
  { file: "vram-residency/src/check-seal.ts", mutator: "ConditionalExpression", original: 'reason === "mac" || reason === "statement" || reason === "instance"', replacement: "true", reason: "verifySeal has one other reason, and that is shape" },
  { file: "vram-seal/src/approval/model-signature.ts", mutator: "StringLiteral", original: '"be a string"', replacement: '""', reason: "whether there is a problem is asked, never which: one message refuses every shape" },
  { file: "vram-seal/src/approval/model-signature.ts", mutator: "StringLiteral", original: '"bundle"', replacement: '""', reason: "whether there is a problem is asked, never which: one message refuses every shape" },
  { file: "vram-seal/src/approval/model-signature.ts", mutator: "StringLiteral", original: '""', replacement: '"Stryker was here!"', reason: "the rules want exactly one; this is for the compiler" },
  { file: "vram-seal/src/approval/model-signature.ts", mutator: "OptionalChaining", original: "signatures[0]?.sig", replacement: "signatures[0].sig", reason: "the rules want exactly one; this is for the compiler" },
  { file: "vram-seal/src/approval/model-signature.ts", mutator: "OptionalChaining", original: "subject[0]?.digest", replacement: "subject[0].digest", reason: "the rules want exactly one; this is for the compiler" },
  { file: "vram-seal/src/approval/model-signature.ts", mutator: "OptionalChaining", original: "key.asymmetricKeyDetails?.namedCurve", replacement: "key.asymmetricKeyDetails.namedCurve", reason: "a public key has details; this is for the compiler" },
  { file: "vram-seal/src/approval/model-signature.ts", mutator: "BlockStatement", original: "{ return undefined; }", replacement: "{}", reason: "a function without a return answers undefined" },
  { file: "vram-seal/src/approval/lfs-pointer.ts", mutator: "ConditionalExpression", original: "pointer.length <= POINTER_MAX_BYTES", replacement: "true", reason: "no longer text fits the pattern; the limit spares its copy" },
  { file: "vram-seal/src/approval/lfs-pointer.ts", mutator: "EqualityOperator", original: "pointer.length <= POINTER_MAX_BYTES", replacement: "pointer.length < POINTER_MAX_BYTES", reason: "no text of that length fits the pattern" },
  { file: "vram-seal/src/approval/lfs-pointer.ts", mutator: "StringLiteral", original: '""', replacement: '"Stryker was here!"', reason: "neither fits the pattern" },
  { file: "vram-seal/src/approval/lfs-pointer.ts", mutator: "ArrayDeclaration", original: "[]", replacement: '["Stryker was here"]', reason: "without a match the size is no number" },
  { file: "vram-seal/src/approval/lfs-pointer.ts", mutator: "ConditionalExpression", original: "sha256 === undefined", replacement: "false", reason: "without a match the size is no number, so the next operand refuses it" },
  { file: "vram-residency/src/approval.ts", mutator: "ConditionalExpression", original: "modelSignature === undefined", replacement: "false", reason: "the options have both or neither; the other test is for the compiler" },
  { file: "vram-residency/src/approval.ts", mutator: "LogicalOperator", original: "modelSignature === undefined || publicKey === undefined", replacement: "modelSignature === undefined && publicKey === undefined", reason: "the options have both or neither; the other test is for the compiler" },
  { file: "vram-residency/src/approval.ts", mutator: "ConditionalExpression", original: "publicKey === undefined", replacement: "false", reason: "the options have both or neither; the other test is for the compiler" },
];
