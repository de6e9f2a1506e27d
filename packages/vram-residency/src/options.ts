import type { KeyObject } from "node:crypto";
import { types } from "node:util";
import type { AuditLog } from "vram-audit";
import type { DriverSource } from "vram-cuda";
import type { PolicyOptions } from "vram-policy";
import type { AttestationKey, SealKey } from "vram-seal";
import { NAME_MAX_LENGTH, correlationIdProblem, digestProblem, shardIdProblem, textProblem } from "vram-text";
import { z } from "zod";
import { approvalOf } from "./approval.js";
import { newCorrelationId } from "./correlation.js";
import { VramError, invalidInput } from "./errors.js";
import { ownFields, readGiven } from "./given.js";
import type { DeviceSelector } from "./host-device.js";
import type { ByteRange } from "./lease.js";
import type { ModelFormat } from "./model/header.js";
import { takeKey } from "./seal-keys.js";

/** Default limit of one model's size: 100 GiB. */
const DEFAULT_MAX_MODEL_BYTES = 107_374_182_400;
const DEFAULT_VIEW_TIMEOUT_MS = 30_000;
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

const GPU_UUID = /^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DEVICE = "be a device ordinal or a UUID of the form GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
const DEVICES = "be a device ordinal, a UUID of the form GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, or a list of 1 to 1024 of them";

const TIMEOUT = "be an integer number of milliseconds from 0 to 2^31 - 1";

const byteCount = (minimum: number) =>
  z.int(`be an integer number of bytes of at least ${minimum}`).min(minimum, `be at least ${minimum} bytes`);

const checked = (problem: (value: unknown) => string | undefined) =>
  z.custom<string>((value) => problem(value) === undefined, {
    error: (issue) => problem(issue.input),
  });

const name = checked((value) => textProblem(value, NAME_MAX_LENGTH));
const digest = checked(digestProblem);
const correlationId = checked(correlationIdProblem).default(newCorrelationId);
const callable = <T>() => z.custom<T>((value) => typeof value === "function", "be a function");
const abortSignal = z.custom<AbortSignal>((value) => value instanceof AbortSignal, "be an AbortSignal");

/** An object with these methods, used as given and never copied. */
const service = <T>(...methods: string[]) =>
  z.custom<T>(
    (value) =>
      typeof value === "object" &&
      value !== null &&
      methods.every((method) => typeof (value as Record<string, unknown>)[method] === "function"),
    `have the methods ${methods.join(", ")}`,
  );

/** Every option is a field of its own afterwards, if undefined: none is looked up in an Object.prototype that was tampered with. */
const options = <Shape extends z.ZodRawShape>(shape: Shape) => {
  const absent = Object.fromEntries(Object.keys(shape).map((name) => [name, undefined]));
  const known = z.strictObject(shape, "be an object with known options only");
  return z.preprocess(ownFields, known.transform((given): typeof given => ({ ...absent, ...given })));
};

const sealKey = service<SealKey>("mac", "verify", "close").transform(takeKey).refine(
  ({ keyId, locked }) => /^[0-9a-f]{16}$/.test(keyId) && typeof locked === "boolean",
  "have a keyId of 16 lowercase hexadecimal characters, and say whether it is locked",
);

const deviceSelector = z.union([z.int(DEVICE).min(0, DEVICE).max(1023, DEVICE), z.string().regex(GPU_UUID, DEVICE)], DEVICE);
const deviceSelectors = z.union([deviceSelector.transform((one) => [one]), z.array(deviceSelector).min(1, DEVICES).max(1024, DEVICES)], DEVICES);

const openOptions = options({
  device: deviceSelectors.default([0]),
  sealKey,
  audit: service<AuditLog>("append", "close"),
  attestationKey: service<AttestationKey>("sign", "close").optional(),
  workerId: name,
  policy: z.unknown().optional(),
  limits: options({
    maxModelBytes: byteCount(1).default(DEFAULT_MAX_MODEL_BYTES),
    reserveBytes: byteCount(0).default(0),
    viewTimeoutMs: z.int(TIMEOUT).min(0, TIMEOUT).max(LONGEST_TIMEOUT_MS, TIMEOUT).default(DEFAULT_VIEW_TIMEOUT_MS),
  }).prefault({}),
  driver: options({ libraryPath: z.string("be a path").min(1, "be a path") }).optional(),
  correlationId,
});

const LONGEST_EVIDENCE_BYTES = 16 * 1024 * 1024;
const EVIDENCE = "be text or a Uint8Array of at most 16 MiB";
/** Copied at once: a caller's buffer may change before its file is loaded. */
const evidence = z
  .custom<string | Uint8Array>((value) => isEvidence(value) && value.length <= LONGEST_EVIDENCE_BYTES, EVIDENCE)
  .transform((given) => (typeof given === "string" ? given : Uint8Array.from(given)));

function isEvidence(value: unknown): value is string | Uint8Array {
  return typeof value === "string" || value instanceof Uint8Array;
}

const count = (...values: readonly unknown[]): number => values.filter((value) => value !== undefined).length;

const approved = options({
  fsverity: digest.optional(),
  sha256: digest.optional(),
  lfsPointer: evidence.optional(),
  modelSignature: evidence.optional(),
  publicKey: z.custom<KeyObject | string>((value) => typeof value === "string" || types.isKeyObject(value), "be a KeyObject, or text in PEM").optional(),
  file: name.optional(),
})
  .refine(({ fsverity, sha256, lfsPointer, modelSignature }) => count(fsverity, sha256, lfsPointer, modelSignature) > 0, "have fsverity, sha256, lfsPointer or modelSignature")
  .refine(({ sha256, lfsPointer, modelSignature }) => count(sha256, lfsPointer, modelSignature) <= 1, "have no more than one of sha256, lfsPointer and modelSignature")
  .refine(({ modelSignature, publicKey }) => count(modelSignature, publicKey) !== 1, "have modelSignature and publicKey together")
  .refine(({ modelSignature, file }) => file === undefined || modelSignature !== undefined, "have file with modelSignature only");
const expectation = approved.transform((given) => approvalOf(given));
const signedExpectation = approved
  .refine(({ file }) => file === undefined, "have no file: each of a set has its name")
  .transform((given) => approvalOf(given));

const expectations = z.record(z.string(), expectation, "be an object with file names as keys");

/** One model signature for every file of a set, or what is expected of each. */
const setExpectation = z.preprocess(ownFields, z.unknown()).transform((given, context) => {
  const isSignature = typeof given === "object" && given !== null && "modelSignature" in given && isEvidence(given.modelSignature);
  const { success, data, error } = (isSignature ? signedExpectation : expectations).safeParse(given);
  if (success) return data;
  context.addIssue({ code: "custom", path: [...(error.issues[0]?.path ?? [])], message: expectationIn(error.issues[0]) });
  return z.NEVER;
});

const runOptions = {
  modelRef: name.nullable().default(null),
  staging: z.enum(["pageable", "pinned"], 'be "pageable" or "pinned"').default("pageable"),
  onProgress: callable<(progress: SealProgress) => void>().optional(),
  signal: abortSignal.optional(),
  correlationId,
};

const sealOptions = options({
  ...runOptions,
  device: deviceSelector.optional(),
  shardId: checked(shardIdProblem).optional(),
  expect: expectation.nullable().default(null),
  format: z.enum(["safetensors", "gguf", "opaque"], 'be "safetensors", "gguf" or "opaque"').optional(),
});

const SET_DEVICES = "be a list of 1 to 1024 device ordinals or UUIDs";

/** A set's id begins its members' ids, which have room for an index. */
const SET_ID_MAX_LENGTH = 240;

const sealSetOptions = options({
  ...runOptions,
  devices: z.array(deviceSelector, SET_DEVICES).min(1, SET_DEVICES).max(1024, SET_DEVICES).optional(),
  expectSet: digest.optional(),
  setId: checked(shardIdProblem)
    .refine(({ length }) => length <= SET_ID_MAX_LENGTH, `be at most ${SET_ID_MAX_LENGTH} characters`)
    .optional(),
  expect: setExpectation.nullable().default(null),
});

const ALIGNMENT = "be a power of two";

const viewOptions = options({
  minAlignment: z
    .int(ALIGNMENT)
    .min(1, ALIGNMENT)
    .refine((value) => Number.isInteger(Math.log2(value)), ALIGNMENT)
    .default(1),
});

const callOptions = options({ signal: abortSignal.optional(), correlationId });

const MILLISECONDS = "be an integer number of milliseconds from 1 to 2^53 - 1";
const SHARE = "be a number above 0 and at most 1";
const RANGE = "have an offset of at least 0 and a byteLength of at least 1, in bytes";
const RANGE_BYTES = "be a multiple of 4096 bytes";

const verifyOptions = options({
  signal: abortSignal.optional(),
  correlationId,
  tensor: z.string("be the name of a tensor").optional(),
  range: z.strictObject({ offset: z.int(RANGE).min(0, RANGE), byteLength: z.int(RANGE).min(1, RANGE) }, RANGE).optional(),
});

const scrubOptions = options({
  periodMs: z.int(MILLISECONDS).min(1, MILLISECONDS).default(3_600_000),
  bytesPerSecond: byteCount(1).optional(),
  shareOfTime: z.number(SHARE).gt(0, SHARE).max(1, SHARE).optional(),
  placementIntervalMs: z.int(MILLISECONDS).min(1, MILLISECONDS).default(60_000),
  pauseDuring: z.array(z.enum(["seal", "execute"], 'be a list of "seal" and "execute"'), 'be a list of "seal" and "execute"').default([]),
  rangeBytes: z.int(RANGE_BYTES).min(4096, RANGE_BYTES).multipleOf(4096, RANGE_BYTES).default(16_777_216),
});

const executeOptions = options({ signal: abortSignal.optional(), correlationId, verifyAfter: z.boolean("be a boolean").default(false) });

const NONCE = "be a Uint8Array of 16 to 64 bytes";

const attestOptions = options({
  nonce: z
    .custom<Uint8Array>((value) => value instanceof Uint8Array && value.length >= 16 && value.length <= 64, NONCE)
    .transform((nonce) => Uint8Array.from(nonce)),
  signal: abortSignal.optional(),
  correlationId,
});

/** How far a seal has come: bytes moved to the device while loading, bytes hashed on it while digesting. */
export interface SealProgress {
  readonly phase: "load" | "digest";
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** How to open a residency. */
export interface OpenResidencyOptions {
  /** The device, or several, each once; default 0. */
  readonly device?: DeviceSelector | readonly DeviceSelector[];
  /** The root key of all seals; closed with the residency, also when opening fails. */
  readonly sealKey: SealKey;
  /** The audit trail; closed with the residency, also when opening fails. */
  readonly audit: AuditLog;
  /** Signs attestations; closed with the residency, also when opening fails. Default: a key of this process alone. */
  readonly attestationKey?: AttestationKey;
  /** Who this worker is, 1 to 512 characters. */
  readonly workerId: string;
  /** Deviations from the strict default policy. */
  readonly policy?: PolicyOptions;
  readonly limits?: {
    /** Largest model in bytes; default 100 GiB. */
    readonly maxModelBytes?: number;
    /** Device memory in bytes that is never given to shards; default 0. */
    readonly reserveBytes?: number;
    /** How long a release waits for native code that still holds a view, in milliseconds; default 30,000. */
    readonly viewTimeoutMs?: number;
  };
  /** The driver library; default: the system's. A simulator is used only when named here. */
  readonly driver?: DriverSource;
  /** Names the opening in its events, as in `CallOptions`. */
  readonly correlationId?: string;
}

/**
 * The host memory that bytes pass through while they are loaded: `pinned` is page-locked until the load has ended and makes
 * copies to a GPU faster; the default policy refuses it. Default: `pageable`.
 */
export type Staging = "pageable" | "pinned";

/** How to seal one model. */
export interface SealOptions extends CallOptions {
  /** One of the residency's devices; default: its first. */
  readonly device?: DeviceSelector;
  /** 1 to 256 characters of `[A-Za-z0-9_-]`; default: a random one. */
  readonly shardId?: string;
  /** Where the model comes from, 1 to 512 characters; goes into the seal as it is. */
  readonly modelRef?: string | null;
  /** What was approved. Without it the seal says integrity, not approval. */
  readonly expect?: Expectation | null;
  /** How to read the tensors' names and places; default: by the file's name, then by its content. */
  readonly format?: ModelFormat;
  readonly staging?: Staging;
  readonly onProgress?: (progress: SealProgress) => void;
}

/**
 * What was approved of one file: published digests, 64 lowercase hexadecimal characters each, or evidence that has one. At
 * least one of them; no more than one that gives a SHA-256.
 */
export interface Expectation {
  readonly fsverity?: string | undefined;
  readonly sha256?: string | undefined;
  /** A Git LFS pointer, which Hugging Face keeps in the place of a large file. */
  readonly lfsPointer?: string | Uint8Array | undefined;
  /** An OpenSSF Model Signing bundle; who signed it goes into the seal as `identity`. */
  readonly modelSignature?: string | Uint8Array | undefined;
  /** The key that the bundle must be signed with: P-256 or P-384, a KeyObject or in PEM. */
  readonly publicKey?: KeyObject | string | undefined;
  /** The file's path in the signed model; default: the bare name of the source's file. */
  readonly file?: string | undefined;
}

/** The same for every file of a set, by one model signature. */
export type SignedExpectation = Required<Pick<Expectation, "modelSignature" | "publicKey">>;

/** How to seal a model of several files. */
export interface SealSetOptions extends CallOptions {
  /** 1 to 240 characters of `[A-Za-z0-9_-]`; default: a random one. The shards are `<setId>-0`, `<setId>-1` and so on. */
  readonly setId?: string;
  /** Where the model comes from, 1 to 512 characters; goes into every seal as it is. */
  readonly modelRef?: string | null;
  /**
   * Where the files go, by shard index: a device for each file, or fewer, that are taken by turns. Default: all of the
   * residency's, by turns.
   */
  readonly devices?: readonly DeviceSelector[];
  /** The set digest that was approved: see `setDigest` of vram-seal. It is compared besides `expect`, and is in no seal. */
  readonly expectSet?: string;
  /** What was approved: by bare file name, for every file or for none, or a model signature that lists them all. */
  readonly expect?: Readonly<Record<string, Expectation>> | SignedExpectation | null;
  readonly staging?: Staging;
  /** Told in bytes of the whole set. */
  readonly onProgress?: (progress: SealProgress) => void;
}

export interface ViewOptions {
  /** Least alignment in device memory, in bytes; a power of two, default 1. */
  readonly minAlignment?: number;
}

/** What every operation takes. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /**
   * Names the operation in its events and errors: an id of a request for one, 1 to 128 characters of `[A-Za-z0-9_.:-]`;
   * default: a random one.
   */
  readonly correlationId?: string;
}

export interface ExecuteOptions extends CallOptions {
  /** Verify the shards again after `fn`: a change while it ran is found, and its result is not given out. Default false. */
  readonly verifyAfter?: boolean;
}

/** What of a shard is to be verified: one tensor, or bytes of the image. */
export type VerifyPartOptions = CallOptions & ({ readonly tensor: string } | { readonly range: ByteRange });

/** Pace and budget of a scrub; a budget that is too small for the period wins, and `isOnTime` tells. */
export interface ScrubOptions {
  /** Time in which every shard is verified wholly, in milliseconds; default: an hour. */
  readonly periodMs?: number;
  /** Bytes verified in a second, at most. */
  readonly bytesPerSecond?: number;
  /** Share of the time that verifications may take, at most: above 0, up to 1. */
  readonly shareOfTime?: number;
  /** Where each shard lies is looked at this often, in milliseconds; default: a minute. */
  readonly placementIntervalMs?: number;
  /** Begin no range while the worker seals, or executes; default: neither. */
  readonly pauseDuring?: readonly ("seal" | "execute")[];
  /** Bytes that are verified at a time, a multiple of 4096; default 16 MiB. */
  readonly rangeBytes?: number;
}

export interface AttestOptions extends CallOptions {
  /** The verifier's, 16 to 64 random bytes. */
  readonly nonce: Uint8Array;
}

export type ParsedOpenOptions = z.output<typeof openOptions>;
export type ParsedSealOptions = z.output<typeof sealOptions>;
export type ParsedAttestOptions = z.output<typeof attestOptions>;
type ParsedCallOptions = z.output<typeof callOptions>;
export type ParsedScrubOptions = z.output<typeof scrubOptions>;
export type ParsedVerifyOptions = z.output<typeof verifyOptions>;
export type ParsedExecuteOptions = z.output<typeof executeOptions>;

/** Reads every option once into a plain copy. @throws VramError `INVALID_CONFIG` naming the option. */
export const parseOpenOptions = (value: unknown): ParsedOpenOptions => parse(openOptions, value, "INVALID_CONFIG");

/** @throws VramError `INVALID_INPUT` naming the option. */
export const parseSealOptions = (value: unknown): ParsedSealOptions => parse(sealOptions, value ?? {}, "INVALID_INPUT");

/** @throws VramError `INVALID_INPUT` naming the option. */
export const parseSealSetOptions = (value: unknown): z.output<typeof sealSetOptions> => parse(sealSetOptions, value ?? {}, "INVALID_INPUT");

/** @throws VramError `INVALID_INPUT` naming the option. */
export const parseViewOptions = (value: unknown): z.output<typeof viewOptions> => parse(viewOptions, value ?? {}, "INVALID_INPUT");

/** @throws VramError `INVALID_INPUT` naming the option. */
export const parseAttestOptions = (value: unknown): ParsedAttestOptions => parse(attestOptions, value ?? {}, "INVALID_INPUT");

/** @throws VramError `INVALID_INPUT` naming the option. */
export const parseCallOptions = (value: unknown): ParsedCallOptions => parse(callOptions, value ?? {}, "INVALID_INPUT");

/** @throws VramError `INVALID_INPUT` naming the option. */
export const parseVerifyOptions = (value: unknown): ParsedVerifyOptions => parse(verifyOptions, value ?? {}, "INVALID_INPUT");

/** @throws VramError `INVALID_INPUT` naming the option. */
export const parseScrubOptions = (value: unknown): ParsedScrubOptions => parse(scrubOptions, value ?? {}, "INVALID_INPUT");

/** @throws VramError `INVALID_INPUT` naming the option. */
export const parseExecuteOptions = (value: unknown): ParsedExecuteOptions => parse(executeOptions, value ?? {}, "INVALID_INPUT");

/** @throws VramError `INVALID_INPUT` */
export function parseSealKey(key: unknown): SealKey {
  const result = readGiven("key", () => sealKey.safeParse(key));
  if (result.success) return result.data;
  throw invalidInput("key", expectationIn(result.error.issues[0]));
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: "INVALID_CONFIG" | "INVALID_INPUT",
): z.output<Schema> {
  const result = readGiven("options", () => schema.safeParse(value), code);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = ["options", ...(issue?.path ?? [])].join(".");
  throw new VramError(code, `${path} must ${expectationIn(issue)}`, { details: { argument: path } });
}

function expectationIn(issue: z.core.$ZodIssue | undefined): string {
  return issue?.code === "unrecognized_keys" ? "have known options only" : (issue?.message ?? "be valid");
}
