/** Why a request gets no answer: `message` is for people and names no path, no secret and nothing of the request. */
export class HttpRefusal extends Error {
  override readonly name = "HttpRefusal";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string | readonly string[]>> = {},
  ) {
    super(message);
  }
}

/** The answer while something that few can have at a time is taken. */
export function busy(message: string, retryAfterSeconds: number): HttpRefusal {
  return new HttpRefusal(503, "BUSY", message, { "Retry-After": String(retryAfterSeconds) });
}
