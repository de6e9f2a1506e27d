import { randomBytes } from "node:crypto";
import { workerSource } from "vram-audit";
import { openDriver } from "vram-cuda";
import { generateAttestationKey } from "vram-seal";
import { evaluateDevice, evaluateSealKey, joinReports, resolvePolicy } from "vram-policy";
import { correlated } from "./correlation.js";
import { toVramError } from "./errors.js";
import { policyViolated, workerStarted } from "./events.js";
import { ownFields, readGiven } from "./given.js";
import { closeHostDevices, openHostDevices, selectDevices } from "./host-device.js";
import { parseOpenOptions } from "./options/open-options.js";
import type { OpenResidencyOptions, ParsedOpenOptions } from "./options/open-options.js";
import { policyError } from "./policy-error.js";
import { Residency } from "./residency.js";
import { assertUsable } from "./seal-keys.js";
import { audited, traced } from "./telemetry/publish.js";
import { Worker } from "./worker.js";

/**
 * Opens a device, or several, for sealed models: loads the driver, evaluates the policy, proves the digest kernel on each
 * device, and writes to the audit trail that the worker started, once for each; opens all devices or none. Takes over `audit`
 * and the keys, and closes them also when it rejects.
 * @throws VramError `INVALID_CONFIG`, `INVALID_INPUT`, `DRIVER_UNAVAILABLE`, `POLICY_VIOLATION`, `INSUFFICIENT_VRAM`,
 * `KEY_UNAVAILABLE`, `CUDA_FAILED`, `DEVICE_LOST`, `AUDIT_UNAVAILABLE`
 */
export async function openResidency(options: OpenResidencyOptions): Promise<Residency> {
  let given: unknown = {};
  try {
    given = readGiven("options", () => ownFields(options), "INVALID_CONFIG");
    const parsed = parseOpenOptions(given);
    return await correlated(parsed.correlationId, () => traced("open", { "vram.worker.id": parsed.workerId }, () => open(parsed)));
  } catch (error) {
    await closeGiven(Object(given) as Partial<OpenResidencyOptions>);
    throw toVramError(error);
  }
}

async function open({ device: selectors, sealKey, audit, workerId, limits, ...options }: ParsedOpenOptions): Promise<Residency> {
  const policy = resolvePolicy(options.policy ?? {});
  const driver = openDriver(options.driver);
  const judged = selectDevices(driver.devices(), selectors).map((facts) => ({
    facts,
    report: evaluateDevice({ driver: driver.facts, device: facts }, policy),
  }));
  const keyReport = evaluateSealKey(sealKey, policy);
  for (const { facts, report: deviceReport } of judged) {
    const report = joinReports(deviceReport, keyReport);
    if (report.ok) continue;
    const event = policyViolated("open", null, report);
    const append = () => audit.append({ ...event, source: workerSource(workerId), correlationid: options.correlationId });
    throw policyError(report, { gpuDevice: facts.ordinal, cause: await failureOf(audited(event, append)) });
  }
  const instanceId = randomBytes(16).toString("hex");
  await assertUsable(sealKey, instanceId);
  const hosts = await openHostDevices(driver, judged, limits.reserveBytes);
  try {
    const worker = new Worker({
      hosts,
      driverFacts: driver.facts,
      policy,
      attestationKey: options.attestationKey ?? generateAttestationKey(),
      audit,
      workerId,
      instanceId,
      maxModelBytes: limits.maxModelBytes,
      viewTimeoutMs: limits.viewTimeoutMs,
    }, sealKey);
    for (const host of hosts) {
      await worker.record(workerStarted({ ...worker.parts, device: host.device, sealKey }, worker.policyReport(host)));
    }
    return new Residency(worker);
  } catch (error) {
    await closeHostDevices(hosts);
    throw error;
  }
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
