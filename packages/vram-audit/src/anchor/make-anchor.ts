import { z } from "zod";
import { flag, name } from "../events/fields.js";
import { parseOptions, timerMs } from "../log/options.js";
import type { Anchor, AnchorOptions } from "./anchor.js";

const schema = z.strictObject(
  { name: name.optional(), required: flag.default(false), timeoutMs: timerMs.optional() },
  "be an object with known options only",
);

/**
 * An anchor of one of the kinds that come with this package.
 * @throws AuditError `INVALID_INPUT`
 */
export function makeAnchor(kind: string, options: AnchorOptions, keep: Anchor["keep"]): Anchor {
  const { name: given = kind, required, timeoutMs } = parseOptions(schema, options);
  return { name: given, required, ...(timeoutMs !== undefined && { timeoutMs }), keep };
}
