import { parseCanonical } from "../encoding/canonical-json.js";
import type { SealStatement } from "./seal-statement.js";
import type { FieldProblem } from "../encoding/record-rules.js";
import { statementProblem } from "./statement-rules.js";

/** Largest statement in bytes: above what the schema's limits add up to. */
export const STATEMENT_MAX_BYTES = 8192;

export type ParsedStatement =
  | { readonly statement: SealStatement; readonly problem?: never }
  | { readonly statement?: never; readonly problem: FieldProblem };

/**
 * Reads a statement from its bytes. They must be exactly what canonicalising the statement gives, so one statement has one
 * encoding and a duplicate key, a stray space or invalid UTF-8 cannot hide.
 */
export function parseStatement(bytes: Uint8Array): ParsedStatement {
  const value = parseCanonical(bytes);
  if (value === undefined) return { problem: { field: "statement", expectation: "be canonical JSON (RFC 8785)" } };
  const problem = statementProblem(value);
  return problem === undefined ? { statement: freeze(value as SealStatement) } : { problem };
}

function freeze(statement: SealStatement): SealStatement {
  Object.freeze(statement.placement);
  Object.freeze(statement.expected);
  return Object.freeze(statement);
}
