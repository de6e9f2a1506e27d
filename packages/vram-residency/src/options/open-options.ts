import type { AuditLog } from "vram-audit";
import type { DriverSource } from "vram-cuda";
import type { PolicyOptions } from "vram-policy";
import type { AttestationKey, SealKey } from "vram-seal";
import { z } from "zod";
import { invalidInput } from "../errors.js";
import { readGiven } from "../given.js";
import type { DeviceSelector } from "../host-device.js";
import { takeKey } from "../seal-keys.js";
import { byteCount, correlationId, deviceSelector, expectationIn, name, options, parse, service } from "./rules.js";

/** Default limit of one model's size: 100 GiB. */
const DEFAULT_MAX_MODEL_BYTES = 107_374_182_400;
const DEFAULT_VIEW_TIMEOUT_MS = 30_000;
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
const DEVICES = "be a device ordinal, a UUID of the form GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, or a list of 1 to 1024 of them";
const TIMEOUT = "be an integer number of milliseconds from 0 to 2^31 - 1";

const sealKey = service<SealKey>("mac", "verify", "close").transform(takeKey).refine(
  ({ keyId, locked }) => /^[0-9a-f]{16}$/.test(keyId) && typeof locked === "boolean",
  "have a keyId of 16 lowercase hexadecimal characters, and say whether it is locked",
);

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

export type ParsedOpenOptions = z.output<typeof openOptions>;

/** Reads every option once into a plain copy. @throws VramError `INVALID_CONFIG` naming the option. */
export const parseOpenOptions = (value: unknown): ParsedOpenOptions => parse(openOptions, value, "INVALID_CONFIG");

/** @throws VramError `INVALID_INPUT` */
export function parseSealKey(key: unknown): SealKey {
  const result = readGiven("key", () => sealKey.safeParse(key));
  if (result.success) return result.data;
  throw invalidInput("key", expectationIn(result.error.issues[0]));
}
