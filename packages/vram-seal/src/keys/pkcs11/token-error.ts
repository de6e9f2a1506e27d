import { SealError } from "../../seal-error.js";

const RESULT_NAME = /^CKR_[A-Z0-9_]{1,60}$/;

/** Why a key of a token cannot be used. */
export type TokenProblem =
  | "no-module"
  | "no-library"
  | "no-token"
  | "ambiguous-token"
  | "wrong-pin"
  | "no-key"
  | "ambiguous-key"
  | "not-ed25519"
  | "wrong-signature"
  | "token";

/** `KEY_UNAVAILABLE` with a reason. The text of another's error may hold a path or a secret, so none is kept. */
export function tokenUnavailable(reason: TokenProblem, message: string, details: { readonly result?: string } = {}): SealError {
  return new SealError("KEY_UNAVAILABLE", message, { details: { reason, ...details } });
}

/** The number of a failed call's result. */
export const resultOf = (error: unknown): unknown => (Object(error) as { code?: unknown }).code;

/** What a call of the library failed with: the name of its result, where it has one. */
export function tokenRefused(error: unknown): SealError {
  if (error instanceof SealError) return error;
  const text: unknown = (Object(error) as { message?: unknown }).message;
  const result = typeof text === "string" && RESULT_NAME.test(text) ? text : "unknown";
  const reason = result === "CKR_PIN_INCORRECT" ? "wrong-pin" : "token";
  return tokenUnavailable(reason, `the token did not do what was asked (${result})`, { result });
}
