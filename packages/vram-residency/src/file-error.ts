/** Of a file system error only the code: its message repeats the path with the system call. */
export function fileErrorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "failed";
}
