import { commandAnchor, directoryAnchor, httpAnchor, openAuditLog } from "vram-audit";
import type { Anchor, AuditLog } from "vram-audit";
import type { DriverSource } from "vram-cuda";
import type { PolicyOptions } from "vram-policy";
import { fromKeyFile, fromSystemdCredential, generate, readTokenCredential, readTokenFile } from "vram-seal";
import type { SealKey } from "vram-seal";
import { openResidency } from "../open-residency.js";
import type { ScrubOptions } from "../options/call-options.js";
import type { Residency } from "../residency.js";
import type { AuditConfig, HoldConfig, ScrubConfig, SealKeyConfig } from "./config.js";
import type { SecretPlace } from "./config-rules.js";

/** A residency, and the public name of the key that signs. */
export interface OpenedResidency {
  readonly residency: Residency;
  readonly keyId: string;
}

/** Opens the residency that a configuration describes. @throws VramError as `openResidency` */
export async function openConfigured(config: HoldConfig, driver: DriverSource | undefined): Promise<OpenedResidency> {
  const { workerId, devices, limits } = config;
  const sealKey = await openSealKey(config.sealKey);
  const residency = await openResidency({
    sealKey,
    audit: await openConfiguredLog(config.audit),
    workerId,
    device: devices,
    limits,
    policy: policyOf(config, driver),
    ...(driver !== undefined && { driver }),
  });
  return { residency, keyId: sealKey.keyId };
}

/** The simulator is allowed where it was asked for. */
function policyOf({ policy = {} }: HoldConfig, driver: DriverSource | undefined): PolicyOptions {
  return driver === undefined ? policy : { allowBackends: ["simulator"], ...policy };
}

/** @throws SealError `INVALID_INPUT`, `KEY_UNAVAILABLE` */
export function openSealKey({ file, credential }: SealKeyConfig): Promise<SealKey> {
  if (file !== undefined) return fromKeyFile(file);
  return credential === undefined ? generate() : fromSystemdCredential(credential);
}

/** @throws SealError `INVALID_INPUT`, `KEY_UNAVAILABLE` */
export function readToken(place: SecretPlace): Promise<string> {
  return "file" in place ? readTokenFile(place.file) : readTokenCredential(place.credential);
}

function openConfiguredLog({ dir, anchors, rotate, retain }: AuditConfig): Promise<AuditLog> {
  return openAuditLog({ dir, anchors: anchors.map(anchorOf), ...(rotate && { rotate }), ...(retain && { retain }) });
}

/** @throws AuditError `INVALID_INPUT` */
export function anchorOf({ directory, command, http, ...options }: AuditConfig["anchors"][number]): Anchor {
  if (directory !== undefined) return directoryAnchor(directory, options);
  return command === undefined ? httpAnchor(http ?? "", options) : commandAnchor(command, options);
}

export function scrubOptions({ periodSeconds, placementIntervalSeconds, ...rest }: ScrubConfig): ScrubOptions {
  return {
    ...rest,
    periodMs: periodSeconds * 1000,
    ...(placementIntervalSeconds !== undefined && { placementIntervalMs: placementIntervalSeconds * 1000 }),
  };
}
