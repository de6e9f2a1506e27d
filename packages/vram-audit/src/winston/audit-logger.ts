import { config, createLogger, type Logger } from "winston";
import { z } from "zod";
import { oneOf } from "../events/fields.js";
import { parseOptions } from "../log/options.js";
import { AuditMirrorTransport } from "./audit-mirror-transport.js";

/** What the logger writes, and where. */
export interface AuditLoggerOptions {
  /** An npm level; default: `info`, which has every event. `warn` leaves out info, `error` warnings too. */
  readonly level?: string;
  /** Where the lines go; default: standard error. */
  readonly transport?: AuditMirrorTransport;
}

const schema = z.strictObject(
  {
    level: oneOf(...Object.keys(config.npm.levels)).default("info"),
    transport: z.instanceof(AuditMirrorTransport, { error: "be an AuditMirrorTransport" }).optional(),
  },
  "be an object with known options only",
);

/**
 * A winston logger to give to `openAuditLog` as its `mirror`: one JSON line for each audit event.
 * @throws AuditError `INVALID_INPUT`
 */
export function auditLogger(options: AuditLoggerOptions = {}): Logger {
  const { level, transport = new AuditMirrorTransport(process.stderr) } = parseOptions(schema, options);
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston's declarations import the class as another one
  return createLogger({ level, transports: [transport] });
}
