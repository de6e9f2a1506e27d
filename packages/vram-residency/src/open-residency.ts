import { randomBytes } from "node:crypto";
import { workerSource } from "vram-audit";
import { openDriver } from "vram-cuda";
import type { DeviceFacts, Driver } from "vram-cuda";
import { generateAttestationKey } from "vram-seal";
import { createCapacity, evaluateDevice, evaluateSealKey, joinReports, resolvePolicy } from "vram-policy";
import { correlated } from "./correlation.js";
import { invalidInput, toVramError } from "./errors.js";
import { policyViolated, workerStarted } from "./events.js";
import { ownFields, readGiven } from "./given.js";
import { parseOpenOptions } from "./options.js";
import type { OpenResidencyOptions, ParsedOpenOptions } from "./options.js";
import { policyError } from "./policy-error.js";
import { Residency } from "./residency.js";
import { assertUsable } from "./seal-keys.js";
import { Worker } from "./worker.js";

/**
 * Opens a device for sealed models: loads the driver, evaluates the policy, proves the digest kernel on the device, and
 * writes to the audit trail that the worker started. Takes over `audit` and the keys, and closes them also when it rejects.
 * @throws VramError `INVALID_CONFIG`, `INVALID_INPUT`, `DRIVER_UNAVAILABLE`, `POLICY_VIOLATION`, `INSUFFICIENT_VRAM`,
 * `KEY_UNAVAILABLE`, `CUDA_FAILED`, `DEVICE_LOST`, `AUDIT_UNAVAILABLE`
 */
export async function openResidency(options: OpenResidencyOptions): Promise<Residency> {
  let given: unknown = {};
  try {
    given = readGiven("options", () => ownFields(options), "INVALID_CONFIG");
    const parsed = parseOpenOptions(given);
    return await correlated(parsed.correlationId, () => open(parsed));
  } catch (error) {
    await closeGiven(Object(given) as Partial<OpenResidencyOptions>);
    throw toVramError(error);
  }
}

async function open({ device: selector, sealKey, audit, workerId, limits, ...options }: ParsedOpenOptions): Promise<Residency> {
  const policy = resolvePolicy(options.policy ?? {});
  const driver = openDriver(options.driver);
  const deviceFacts = selectDevice(driver, selector);
  const deviceReport = evaluateDevice({ driver: driver.facts, device: deviceFacts }, policy);
  const report = joinReports(deviceReport, evaluateSealKey(sealKey, policy));
  if (!report.ok) {
    const event = { ...policyViolated("open", null, report), source: workerSource(workerId), correlationid: options.correlationId };
    throw policyError(report, await failureOf(audit.append(event)));
  }
  const instanceId = randomBytes(16).toString("hex");
  await assertUsable(sealKey, instanceId);
  const device = await driver.openDevice(deviceFacts.ordinal);
  try {
    const worker = new Worker({
      device,
      driverFacts: driver.facts,
      policy,
      capacity: createCapacity({
        totalBytes: deviceFacts.totalBytes,
        reserveBytes: limits.reserveBytes + device.workspaceBytes,
      }),
      attestationKey: options.attestationKey ?? generateAttestationKey(),
      deviceReport,
      audit,
      workerId,
      instanceId,
      maxModelBytes: limits.maxModelBytes,
      viewTimeoutMs: limits.viewTimeoutMs,
    }, sealKey);
    await worker.record(workerStarted({ ...worker.parts, sealKey }, report));
    return new Residency(worker);
  } catch (error) {
    await device.close();
    throw error;
  }
}

function selectDevice(driver: Driver, selector: number | string): DeviceFacts {
  const devices = driver.devices();
  const found = devices.find(({ ordinal, uuid }) => selector === ordinal || selector === uuid);
  if (found !== undefined) return found;
  throw invalidInput("options.device", `name one of the ${devices.length} devices present`);
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The services may be anything here, since the options may be what was wrong; the first error is the one that counts. */
async function closeGiven({ audit, sealKey, attestationKey }: Partial<OpenResidencyOptions>): Promise<void> {
  for (const service of [audit, sealKey, attestationKey]) {
    await failureOf((async () => service?.close())());
  }
}
