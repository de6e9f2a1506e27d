export { auditLogger } from "./winston/audit-logger.js";
export type { AuditLoggerOptions } from "./winston/audit-logger.js";
export { AuditMirrorTransport } from "./winston/audit-mirror-transport.js";
