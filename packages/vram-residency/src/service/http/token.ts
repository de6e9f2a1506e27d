import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { oneHeader } from "./one-header.js";
import { HttpRefusal } from "./refusal.js";

const BASIC = /^basic +(?<credentials>[A-Za-z0-9+/]+={0,2})$/i;
const BEARER = /^bearer +(?<token>\S+)$/i;
const CHALLENGES = ['Basic realm="vram-residency", charset="UTF-8"', 'Bearer realm="vram-residency"'];

/** @throws HttpRefusal 401 unless the request carries the token, as a bearer token or as the password of basic authentication */
export function assertToken(request: IncomingMessage, token: string): void {
  const given = tokenIn(oneHeader(request, "authorization") ?? "");
  if (given === undefined || !timingSafeEqual(sha256(given), sha256(token))) {
    throw new HttpRefusal(401, "UNAUTHORIZED", "a token is needed: as a bearer token, or as the password", { "WWW-Authenticate": CHALLENGES });
  }
}

function tokenIn(authorization: string): string | undefined {
  const credentials = BASIC.exec(authorization)?.groups?.["credentials"];
  if (credentials === undefined) return BEARER.exec(authorization)?.groups?.["token"];
  const [, password] = /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, "base64").toString("utf8")) ?? [];
  return password;
}

/** Digests have one length, whatever was given, and differ everywhere where the texts differ anywhere. */
const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
