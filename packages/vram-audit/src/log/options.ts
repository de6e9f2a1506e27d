import type { KeyObject } from "node:crypto";
import { types } from "node:util";
import { textProblem } from "vram-text";
import { z } from "zod";
import { invalidInput } from "../audit-error.js";
import type { Anchor } from "../anchor/anchor.js";
import { count, flag, name, originName } from "../events/fields.js";
import type { MirrorLogger } from "../mirror/mirror.js";
import type { CheckpointInterval } from "./committer.js";
import type { RetentionLimits } from "./retention.js";
import type { RotationLimits } from "./rotation.js";

const PATH_MAX_LENGTH = 4096;
const DEFAULT_INTERVAL: CheckpointInterval = { events: 1000, milliseconds: 10_000 };
const DEFAULT_ROTATION: RotationLimits = { bytes: 67_108_864, milliseconds: 86_400_000 };
const TIMER_MAX_MS = 2 ** 31 - 1;

/** How to open an audit log. */
export interface OpenAuditLogOptions {
  /** The log's own directory: made with mode 0700 if missing, in a directory that exists. */
  readonly dir: string;
  /** An Ed25519 private key, or the path of one in PEM outside `dir`; default: `<dir>.key`, made with the log. */
  readonly signingKey?: KeyObject | string;
  /** Name of the log in its checkpoints, unique among all logs; default: made from the public key. */
  readonly origin?: string;
  /** A winston logger, or one like it, that gets a copy of every durable event. */
  readonly mirror?: MirrorLogger;
  /** Most lines, and longest time, without a signed checkpoint; default: 1,000 and 10 s. */
  readonly checkpointEvery?: Partial<CheckpointInterval>;
  /** The log goes on in a new file once the last one has this many bytes or this age; default: 64 MiB and one day. */
  readonly rotate?: Partial<RotationLimits>;
  /** What is kept when the log goes on in a new file: the oldest files beyond any limit are removed, by signed record; default: all. */
  readonly retain?: RetentionLimits;
  /** Who gets every checkpoint once it is durable, or the newest of several: `directoryAnchor`, `commandAnchor`, `httpAnchor`, or your own. */
  readonly anchors?: readonly Anchor[];
}

export interface ParsedOptions {
  readonly dir: string;
  readonly signingKey: KeyObject | string | undefined;
  readonly origin: string | undefined;
  readonly mirror: MirrorLogger | undefined;
  readonly checkpointEvery: CheckpointInterval;
  readonly rotate: RotationLimits;
  readonly retain: RetentionLimits;
  readonly anchors: readonly Anchor[];
}

export const path = z.custom<string>((value) => textProblem(value, PATH_MAX_LENGTH) === undefined, "be a path");
const mirror = z.custom<MirrorLogger>(
  (value) => typeof value === "object" && value !== null && "log" in value && typeof value.log === "function",
  "be a logger with the method log",
);
const keyObject = z.custom<KeyObject>((value) => types.isKeyObject(value));
const atLeastOne = count.min(1, "be an integer from 1");
const limit = atLeastOne.optional();
export const timerMs = atLeastOne.max(TIMER_MAX_MS, "fit a timer");
const anchorShape = z.looseObject({
  name,
  required: flag.optional(),
  timeoutMs: timerMs.optional(),
  keep: z.custom((value) => typeof value === "function"),
});
const anchor = z.custom<Anchor>((value) => anchorShape.safeParse(value).success, "be an anchor");

const schema = z.strictObject(
  {
    dir: path,
    signingKey: z.union([keyObject, path], "be a KeyObject or a path").optional(),
    origin: originName.optional(),
    mirror: mirror.optional(),
    checkpointEvery: z
      .strictObject(
        {
          events: atLeastOne.default(DEFAULT_INTERVAL.events),
          milliseconds: timerMs.default(DEFAULT_INTERVAL.milliseconds),
        },
        "be an object with events and milliseconds",
      )
      .default(DEFAULT_INTERVAL),
    rotate: z
      .strictObject(
        { bytes: atLeastOne.default(DEFAULT_ROTATION.bytes), milliseconds: atLeastOne.default(DEFAULT_ROTATION.milliseconds) },
        "be an object with bytes and milliseconds",
      )
      .default(DEFAULT_ROTATION),
    retain: z
      .strictObject({ bytes: limit, milliseconds: limit, segments: limit }, "be an object with bytes, milliseconds and segments")
      .default({}),
    anchors: z
      .array(anchor, "be a list of anchors")
      .refine((anchors) => new Set(anchors.map((each) => each.name)).size === anchors.length, "have a name of its own for every anchor")
      .default([]),
  },
  "be an object with known options only",
);

/** @throws AuditError `INVALID_INPUT` */
export function parseOpenOptions(options: unknown): ParsedOptions {
  const { dir, signingKey, origin, mirror: logger, checkpointEvery, rotate, retain, anchors } = parseOptions(schema, options);
  return { dir, signingKey, origin, mirror: logger, checkpointEvery, rotate, retain, anchors };
}

/** @throws AuditError `INVALID_INPUT` naming the argument */
export function parsePath(argument: string, value: unknown): string {
  const result = path.safeParse(value);
  if (!result.success) throw invalidInput(argument, "be a path");
  return result.data;
}

/** @throws AuditError `INVALID_INPUT` naming the option */
export function parseOptions<Schema extends z.ZodType>(optionsSchema: Schema, options: unknown): z.output<Schema> {
  const result = optionsSchema.safeParse(options);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalidInput(["options", ...(issue?.path ?? []).map(String)].join("."), issue?.message ?? "be options");
}
