import { z } from "zod";
import type { ByteRange } from "../lease.js";
import { abortSignal, byteCount, correlationId, options, parse } from "./rules.js";

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

/** What a view must be like. */
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

export type ParsedAttestOptions = z.output<typeof attestOptions>;
type ParsedCallOptions = z.output<typeof callOptions>;
export type ParsedScrubOptions = z.output<typeof scrubOptions>;
export type ParsedVerifyOptions = z.output<typeof verifyOptions>;
export type ParsedExecuteOptions = z.output<typeof executeOptions>;

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
