import { digestProblem, shardIdProblem, textProblem } from "vram-text";
import { instanceIdProblem } from "../input.js";
import type { SealExpectation, SealPlacement, SealStatement } from "./seal-statement.js";
import { SEAL_DIGEST_ALGORITHM } from "./seal-statement.js";

/** Says what is wrong with a value, as the end of "`field` must ...", or nothing. */
type Rule = (value: unknown) => string | undefined;
/** One rule a field: a field without one does not compile. */
type Rules<T> = { readonly [Field in keyof T]-?: Rule };

export interface FieldProblem {
  /** A name of the schema, or the record itself. */
  readonly field: string;
  readonly expectation: string;
}

const DRIVER_VERSION_MAX_LENGTH = 64;
const GPU_UUID = /^(?:GPU|MIG)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DECIMAL_ID = /^(?:0|[1-9][0-9]{0,19})$/;
const KEY_ID = /^[0-9a-f]{16}$/;
const TIMESTAMP = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;
const U64_MAX = 2n ** 64n - 1n;

const integer =
  (least: number): Rule =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= least ? undefined : `be an integer from ${least} to 2^53 - 1`;
const oneOf =
  (...allowed: readonly unknown[]): Rule =>
  (value) =>
    allowed.includes(value) ? undefined : `be one of ${JSON.stringify(allowed)}`;
const matching =
  (pattern: RegExp, expectation: string): Rule =>
  (value) =>
    typeof value === "string" && pattern.test(value) ? undefined : expectation;
const orNull =
  (rule: Rule): Rule =>
  (value) =>
    value === null ? undefined : rule(value);
const text: Rule = (value) => textProblem(value);
const driverId: Rule = (value) =>
  typeof value === "string" && DECIMAL_ID.test(value) && BigInt(value) <= U64_MAX ? undefined : "be a 64-bit number in decimal text";

const timestamp: Rule = (value) => {
  const atMs = typeof value === "string" && TIMESTAMP.test(value) ? Date.parse(value) : Number.NaN;
  return !Number.isNaN(atMs) && new Date(atMs).toISOString() === value ? undefined : "be a UTC time such as 2000-01-31T23:59:59.999Z";
};

const PLACEMENT: Rules<SealPlacement> = { bufferId: driverId, blockId: driverId, access: oneOf("read", "read-write") };
const EXPECTATION: Rules<SealExpectation> = { fsverity: digestProblem, sha256: digestProblem, identity: text };

const placement: Rule = (value) => nested(recordProblem("placement", value, PLACEMENT));
const expectation: Rule = (value) => {
  if (JSON.stringify(value) === "{}") return "have at least one member";
  return nested(recordProblem("expected", value, EXPECTATION, { partial: true }));
};

const STATEMENT: Rules<SealStatement> = {
  v: oneOf(1),
  shardId: shardIdProblem,
  modelRef: orNull(text),
  vramBytes: integer(1),
  digest: digestProblem,
  digestAlgorithm: oneOf(SEAL_DIGEST_ALGORITHM),
  gpuDevice: integer(0),
  gpuUuid: matching(GPU_UUID, 'be "GPU-" or "MIG-" and a lowercase UUID'),
  backend: oneOf("cuda", "simulator", "custom"),
  driverVersion: (value) => textProblem(value, DRIVER_VERSION_MAX_LENGTH),
  kernel: digestProblem,
  placement,
  expected: orNull(expectation),
  workerId: text,
  instanceId: instanceIdProblem,
  sealSequence: integer(0),
  keyId: matching(KEY_ID, "be 16 lowercase hexadecimal characters"),
  keyLocked: oneOf(true, false),
  sealedAt: timestamp,
  setId: orNull(shardIdProblem),
  shardIndex: orNull(integer(0)),
  totalShards: orNull(integer(1)),
};

/** Says what is wrong with a parsed statement, or nothing: exactly the fields of {@link SealStatement}, each in its range. */
export function statementProblem(value: unknown): FieldProblem | undefined {
  return recordProblem("statement", value, STATEMENT) ?? setProblem(value as SealStatement);
}

function setProblem({ setId, shardIndex, totalShards }: SealStatement): FieldProblem | undefined {
  if ((shardIndex === null) !== (totalShards === null)) return { field: "shardIndex", expectation: "come with totalShards" };
  if (shardIndex === null || totalShards === null) {
    return setId === null ? undefined : { field: "setId", expectation: "come with shardIndex and totalShards" };
  }
  return shardIndex < totalShards ? undefined : { field: "shardIndex", expectation: "be less than totalShards" };
}

/** `record` came from `JSON.parse`: its properties are plain data. */
function recordProblem<T>(
  name: string,
  record: unknown,
  rules: Rules<T>,
  options: { readonly partial?: boolean } = {},
): FieldProblem | undefined {
  if (typeof record !== "object" || record === null || Array.isArray(record)) return { field: name, expectation: "be an object" };
  const present = new Map<string, unknown>(Object.entries(record));
  for (const [field, rule] of Object.entries<Rule>(rules)) {
    if (!present.has(field)) {
      if (options.partial) continue;
      return { field, expectation: "be present" };
    }
    const expectation = rule(present.get(field));
    if (expectation !== undefined) return { field, expectation };
    present.delete(field);
  }
  return present.size === 0 ? undefined : { field: name, expectation: "have no other fields" };
}

function nested(problem: FieldProblem | undefined): string | undefined {
  return problem && `have ${problem.field} ${problem.expectation}`;
}
