const OURS = new Set(["VramError", "AuditError", "CudaError", "PolicyError", "SealError"]);
/** OpenTelemetry's word for an error without a name of its own. */
const OTHER = "_OTHER";

/**
 * The code of an error of these packages; what the caller's own function threw is not named. By shape, not by class: the packages may
 * be loaded twice in one process, as ES modules and as CommonJS.
 */
export function errorTypeOf(error: unknown): string {
  const isOurs = error instanceof Error && OURS.has(error.name) && "code" in error && typeof error.code === "string";
  return isOurs ? String(error.code) : OTHER;
}
