import { digestProblem, shardIdProblem, textProblem } from "vram-text";
import {
  type FieldProblem,
  type Rule,
  type Rules,
  driverId,
  integer,
  matching,
  nested,
  oneOf,
  orNull,
  record,
  recordProblem,
  text,
  timestamp,
} from "../encoding/record-rules.js";
import { instanceIdProblem } from "../input.js";
import type { SealExpectation, SealPlacement, SealStatement } from "./seal-statement.js";
import { SEAL_DIGEST_ALGORITHM } from "./seal-statement.js";

const DRIVER_VERSION_MAX_LENGTH = 64;
const GPU_UUID = /^(?:GPU|MIG)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const KEY_ID = /^[0-9a-f]{16}$/;

const PLACEMENT: Rules<SealPlacement> = { bufferId: driverId, blockId: driverId, access: oneOf("read", "read-write") };
const EXPECTATION: Rules<SealExpectation> = { fsverity: digestProblem, sha256: digestProblem, identity: text };

export const placement = record("placement", PLACEMENT);
export const expectation: Rule = (value) => {
  if (JSON.stringify(value) === "{}") return "have at least one member";
  return nested(recordProblem("expected", value, EXPECTATION, "partial"));
};
export const gpuUuid = matching(GPU_UUID, 'be "GPU-" or "MIG-" and a lowercase UUID');
export const backend = oneOf("cuda", "simulator", "custom");
export const driverVersion: Rule = (value) => textProblem(value, DRIVER_VERSION_MAX_LENGTH);
export const keyId = matching(KEY_ID, "be 16 lowercase hexadecimal characters");

const STATEMENT: Rules<SealStatement> = {
  v: oneOf(1),
  shardId: shardIdProblem,
  modelRef: orNull(text),
  vramBytes: integer(1),
  digest: digestProblem,
  digestAlgorithm: oneOf(SEAL_DIGEST_ALGORITHM),
  gpuDevice: integer(0),
  gpuUuid,
  backend,
  driverVersion,
  kernel: digestProblem,
  placement,
  expected: orNull(expectation),
  workerId: text,
  instanceId: instanceIdProblem,
  sealSequence: integer(0),
  keyId,
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
  if (shardIndex === null || totalShards === null) {
    if (shardIndex !== totalShards) return { field: "shardIndex", expectation: "come with totalShards" };
    return setId === null ? undefined : { field: "setId", expectation: "come with shardIndex and totalShards" };
  }
  return shardIndex < totalShards ? undefined : { field: "shardIndex", expectation: "be less than totalShards" };
}
