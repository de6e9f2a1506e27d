import type { Backend } from "./facts.js";
import { invalidConfig } from "./policy-error.js";

/** Deviations from the strict policy; everything is optional. */
export interface PolicyOptions {
  /** Backends a worker may run on; default: `cuda` alone. */
  readonly allowBackends?: readonly Backend[];
  /** The driver library must be root's alone; default true. Judged for the system's library. */
  readonly requireTrustedDriver?: boolean;
  /** ECC must be on; default false. */
  readonly requireEcc?: boolean;
  /** A sealed shard must be mapped read-only; default true. */
  readonly requireReadOnly?: boolean;
  /** A seal needs an expected digest; default false. */
  readonly requireExpected?: boolean;
  /** The seal key must lie in locked memory, or in a token that never gives it out; default false. */
  readonly requireLockedKey?: boolean;
  /** Loads must not page-lock host memory; default true. */
  readonly requirePageableStaging?: boolean;
  /** Oldest seal that still verifies, in milliseconds; default null: age alone never invalidates a seal. */
  readonly maxSealAgeMs?: number | null;
  /** Age of a shard's last whole verification, in milliseconds, up to which an execution needs no new one; default 0: each verifies. */
  readonly maxVerificationAgeMs?: number;
  /** Damaged blocks may be read again from the file that was sealed, and written; default false. */
  readonly allowRepair?: boolean;
  /** Whether a worker stops after it repaired a shard, or goes on with a new seal; default `stop`. */
  readonly afterRepair?: "stop" | "continue";
}

/** A policy with every option decided. */
export type Policy = Required<PolicyOptions>;

type Flag =
  | "requireTrustedDriver"
  | "requireEcc"
  | "requireReadOnly"
  | "requireExpected"
  | "requireLockedKey"
  | "requirePageableStaging"
  | "allowRepair";

const BACKENDS: readonly unknown[] = ["cuda", "simulator", "custom"] satisfies Backend[];

const STRICT: Policy = Object.freeze({
  allowBackends: Object.freeze(["cuda"] as const),
  requireTrustedDriver: true,
  requireEcc: false,
  requireReadOnly: true,
  requireExpected: false,
  requireLockedKey: false,
  requirePageableStaging: true,
  maxSealAgeMs: null,
  maxVerificationAgeMs: 0,
  allowRepair: false,
  afterRepair: "stop",
});

/**
 * Decides every option, the strict way where none is given. Takes own data properties only, each read once.
 * @throws PolicyError `INVALID_CONFIG` naming the option
 */
export function resolvePolicy(options: unknown): Policy {
  const given = ownOptions(options);
  const decide = (name: keyof Policy): unknown => {
    const value = given.get(name);
    return value === undefined ? STRICT[name] : value;
  };
  const flag = (name: Flag): boolean => {
    const value = decide(name);
    if (typeof value !== "boolean") throw invalidConfig(name, "be a boolean");
    return value;
  };
  return Object.freeze({
    allowBackends: backends(decide("allowBackends")),
    requireTrustedDriver: flag("requireTrustedDriver"),
    requireEcc: flag("requireEcc"),
    requireReadOnly: flag("requireReadOnly"),
    requireExpected: flag("requireExpected"),
    requireLockedKey: flag("requireLockedKey"),
    requirePageableStaging: flag("requirePageableStaging"),
    maxSealAgeMs: sealAge(decide("maxSealAgeMs")),
    maxVerificationAgeMs: verificationAge(decide("maxVerificationAgeMs")),
    allowRepair: flag("allowRepair"),
    afterRepair: afterRepair(decide("afterRepair")),
  });
}

function ownOptions(options: unknown): ReadonlyMap<string, unknown> {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw invalidConfig("*", "be an object of policy options");
  }
  const given = new Map<string, unknown>();
  for (const name of Reflect.ownKeys(options)) {
    if (typeof name !== "string" || !Object.hasOwn(STRICT, name)) {
      throw invalidConfig(printable(name), `be one of ${Object.keys(STRICT).join(", ")}`);
    }
    const property = Object.getOwnPropertyDescriptor(options, name);
    if (property === undefined || !("value" in property)) throw invalidConfig(name, "be a data property");
    given.set(name, property.value);
  }
  return given;
}

/** An unknown name is told only where it can carry nothing but a slip of the pen. */
function printable(name: string | symbol): string {
  return typeof name === "string" && /^[A-Za-z]{1,64}$/.test(name) ? name : "*";
}

function backends(value: unknown): readonly Backend[] {
  const list: readonly unknown[] = Array.isArray(value) ? [...(value as unknown[])] : [];
  if (list.length === 0 || !list.every(isBackend)) {
    throw invalidConfig("allowBackends", `be a list of ${BACKENDS.join(", ")}`);
  }
  return Object.freeze(list);
}

function isBackend(value: unknown): value is Backend {
  return BACKENDS.includes(value);
}

function isMilliseconds(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function sealAge(value: unknown): number | null {
  if (value === null || isMilliseconds(value)) return value;
  throw invalidConfig("maxSealAgeMs", "be null or a number of milliseconds from 0 to 2^53 - 1");
}

function verificationAge(value: unknown): number {
  if (isMilliseconds(value)) return value;
  throw invalidConfig("maxVerificationAgeMs", "be a number of milliseconds from 0 to 2^53 - 1");
}

function afterRepair(value: unknown): Policy["afterRepair"] {
  if (value === "stop" || value === "continue") return value;
  throw invalidConfig("afterRepair", 'be "stop" or "continue"');
}
