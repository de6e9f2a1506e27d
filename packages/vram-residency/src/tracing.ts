export { traceOperations } from "./tracing/trace-operations.js";
export type { TraceOptions, Tracing } from "./tracing/trace-operations.js";
