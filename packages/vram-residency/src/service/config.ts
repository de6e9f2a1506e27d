import { resolvePolicy } from "vram-policy";
import type { PolicyOptions } from "vram-policy";
import { z } from "zod";
import { invalidConfig, toVramError } from "../errors.js";
import { byteCount, deviceSelector, name } from "../options/rules.js";
import { modelEntry } from "./model-entry.js";
import { pathIn, secretPlace, section, wholeNumber } from "./config-rules.js";
import { isLoopback, parseListen } from "./listen-address.js";

const SEAL_KEY = "have exactly one of file, credential and ephemeral";
const ANCHOR = "have exactly one of directory, command and http";
const COMMAND = "be a list of a program and its arguments";
const LISTEN = 'be an address as "127.0.0.1:9464", "[::1]:9464" or "unix:/run/vram/hold.sock"';
const HOSTS = "be a list of 1 to 64 host names";
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])$/;
const MODELS_MAX = 10_000;
const LONGEST_SECONDS = 31_536_000;
const LINGER_MAX_SECONDS = 86_400;

const count = (...values: readonly unknown[]): number => values.filter((value) => value !== undefined).length;

const sealKey = (folder: string) =>
  section({ file: pathIn(folder).exactOptional(), credential: name.exactOptional(), ephemeral: z.literal(true, "be true, or absent").exactOptional() })
    .refine(({ file, credential, ephemeral }) => count(file, credential, ephemeral) === 1, SEAL_KEY);

const limitOf = (minimum: number) => wholeNumber(minimum, Number.MAX_SAFE_INTEGER).exactOptional();

const anchor = (folder: string) =>
  section({
    directory: pathIn(folder).exactOptional(),
    command: z.tuple([z.string(COMMAND)], z.string(COMMAND), COMMAND).exactOptional(),
    http: z.string("be a URL").exactOptional(),
    name: name.exactOptional(),
    required: z.boolean("be a boolean").exactOptional(),
    timeoutMs: wholeNumber(1, 2 ** 31 - 1).exactOptional(),
  }).refine(({ directory, command, http }) => count(directory, command, http) === 1, ANCHOR);

const audit = (folder: string) =>
  section({
    dir: pathIn(folder),
    anchors: z.array(anchor(folder), "be a list of anchors").max(16, "be a list of at most 16 anchors").default([]),
    rotate: section({ bytes: limitOf(1), milliseconds: limitOf(1) }).exactOptional(),
    retain: section({ bytes: limitOf(1), milliseconds: limitOf(1), segments: limitOf(1) }).exactOptional(),
  });

const scrubSettings = section({
  periodSeconds: wholeNumber(1, LONGEST_SECONDS).default(3600),
  bytesPerSecond: byteCount(1).exactOptional(),
  shareOfTime: z.number("be a number above 0 and at most 1").gt(0, "be above 0").max(1, "be at most 1").exactOptional(),
  placementIntervalSeconds: wholeNumber(1, LONGEST_SECONDS).exactOptional(),
  pauseDuring: z.array(z.enum(["seal", "execute"], 'be "seal" or "execute"'), 'be a list of "seal" and "execute"').exactOptional(),
  rangeBytes: byteCount(4096).multipleOf(4096, "be a multiple of 4096 bytes").exactOptional(),
});

/** A union would not say which field is wrong. */
const scrub = z.unknown().transform((given, context) => {
  if (given === false) return false;
  const { success, data, error } = scrubSettings.safeParse(given ?? {});
  if (success) return data;
  for (const { path, message } of error.issues) context.addIssue({ code: "custom", path: [...path], message });
  return z.NEVER;
});

const serve = (folder: string) =>
  section({
    listen: z.string(LISTEN).transform((text, context) => {
      const listen = parseListen(text);
      if (listen !== undefined) return listen;
      context.addIssue({ code: "custom", message: LISTEN });
      return z.NEVER;
    }),
    token: secretPlace(folder).exactOptional(),
    hosts: z.array(z.string(HOSTS).regex(HOST, "be a host name without a port"), HOSTS).min(1, HOSTS).max(64, HOSTS).exactOptional(),
  }).refine(({ listen, token }) => token !== undefined || isLoopback(listen), {
    message: "be named where the service listens beyond loopback and Unix sockets",
    path: ["token"],
  });

const DEVICES = "be a list of 1 to 1024 device ordinals or UUIDs";

const configuration = (folder: string) =>
  section({
    workerId: name,
    sealKey: sealKey(folder),
    audit: audit(folder),
    devices: z.array(deviceSelector, DEVICES).min(1, DEVICES).max(1024, DEVICES).default([0]),
    models: z.array(modelEntry(folder), "be a list of models").min(1, "have at least one model").max(MODELS_MAX, `have at most ${MODELS_MAX} models`),
    policy: z.custom<PolicyOptions>().exactOptional(),
    limits: section({ maxModelBytes: byteCount(1).exactOptional(), reserveBytes: byteCount(0).exactOptional(), viewTimeoutMs: wholeNumber(0, 2 ** 31 - 1).exactOptional() }).default({}),
    scrub: scrub.optional().default(() => scrubSettings.parse({})),
    serve: serve(folder).exactOptional(),
    lingerSeconds: wholeNumber(0, LINGER_MAX_SECONDS).default(60),
  });

/** What the service is to do. Paths are absolute, defaults filled in. */
export type HoldConfig = z.output<ReturnType<typeof configuration>>;
export type ServeConfig = NonNullable<HoldConfig["serve"]>;
export type ScrubConfig = Exclude<HoldConfig["scrub"], false>;
export type AuditConfig = HoldConfig["audit"];
export type SealKeyConfig = HoldConfig["sealKey"];

/**
 * Reads a configuration (docs/guide/service.md); relative paths are relative to `folder`.
 * @throws VramError `INVALID_CONFIG` naming the field and what it must be
 */
export function parseConfig(value: unknown, folder: string): HoldConfig {
  const { success, data, error } = configuration(folder).safeParse(value);
  if (!success) throw refusal(error.issues);
  try {
    resolvePolicy(data.policy ?? {});
  } catch (cause) {
    throw toVramError(cause);
  }
  return data;
}

/** A field that does not exist explains one that is missing. */
function refusal(issues: readonly z.core.$ZodIssue[]): Error {
  const issue = issues.find(({ code, message }) => code === "unrecognized_keys" || message.startsWith("not have")) ?? issues[0];
  const field = ["config", ...(issue?.path ?? []).map(String)].join(".");
  return invalidConfig(field, issue?.message ?? "be valid");
}
