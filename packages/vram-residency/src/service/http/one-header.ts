import type { IncomingMessage } from "node:http";
import { HttpRefusal } from "./refusal.js";

/** The value of a header; undefined without it. @throws HttpRefusal 400 for one that is there twice: which of them counts? */
export function oneHeader({ headersDistinct }: IncomingMessage, name: string): string | undefined {
  const values = headersDistinct[name];
  if (values !== undefined && values.length > 1) throw new HttpRefusal(400, "INVALID_HEADER", `the header ${name} must be there once`);
  return values?.[0];
}
