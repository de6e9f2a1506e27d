import { textProblem } from "vram-text";
import { invalidInput } from "../seal-error.js";
import { rootKeys } from "./root-keys.js";
import type { SealKey } from "./seal-key.js";

const MIN_CHARACTERS = 32;
const MIN_DISTINCT_CHARACTERS = 12;
const MAX_LENGTH = 4096;

/**
 * A root key derived from a worker token. The token must come from a random generator: a key id or a MAC lets anyone test
 * guesses of a weak one. A string cannot be wiped, so the token itself stays in this process's memory.
 *
 * @throws SealError `INVALID_INPUT` for a token under 32 characters or under 12 distinct ones, or with control characters
 */
export function fromWorkerToken(token: string): Promise<SealKey> {
  return new Promise((resolve) => {
    const problem = tokenProblem(token);
    if (problem !== undefined) throw invalidInput("token", problem);
    resolve(rootKeys().fromSecret(textBytes(token)));
  });
}

function tokenProblem(token: unknown): string | undefined {
  if (typeof token !== "string") return "be a string";
  const problem = textProblem(token, MAX_LENGTH);
  if (problem !== undefined) return problem;
  const characters = Array.from(token);
  if (characters.length < MIN_CHARACTERS) return `have at least ${MIN_CHARACTERS} characters`;
  if (new Set(characters).size < MIN_DISTINCT_CHARACTERS) return `have at least ${MIN_DISTINCT_CHARACTERS} distinct characters`;
  return undefined;
}

function textBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}
