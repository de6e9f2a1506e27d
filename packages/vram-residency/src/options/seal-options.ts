import type { KeyObject } from "node:crypto";
import { types } from "node:util";
import { shardIdProblem } from "vram-text";
import { z } from "zod";
import { approvalOf } from "../approval.js";
import { ownFields } from "../given.js";
import type { DeviceSelector } from "../host-device.js";
import type { ModelFormat } from "../model/header.js";
import type { CallOptions } from "./call-options.js";
import { abortSignal, callable, checked, correlationId, deviceSelector, digest, expectationIn, name, options, parse } from "./rules.js";

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

/** How far a seal has come: bytes moved to the device while loading, bytes hashed on it while digesting. */
export interface SealProgress {
  readonly phase: "load" | "digest";
  readonly doneBytes: number;
  readonly totalBytes: number;
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
  /** Told while the model is loaded and digested. */
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

export type ParsedSealOptions = z.output<typeof sealOptions>;

/** @throws VramError `INVALID_INPUT` naming the option. */
export const parseSealOptions = (value: unknown): ParsedSealOptions => parse(sealOptions, value ?? {}, "INVALID_INPUT");

/** @throws VramError `INVALID_INPUT` naming the option. */
export const parseSealSetOptions = (value: unknown): z.output<typeof sealSetOptions> => parse(sealSetOptions, value ?? {}, "INVALID_INPUT");
