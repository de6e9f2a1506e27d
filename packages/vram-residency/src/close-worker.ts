import { workerStopped } from "./events.js";
import { closeHostDevices } from "./host-device.js";
import type { Operations } from "./operations.js";
import { releaseShard } from "./release.js";
import type { Worker } from "./worker.js";

/** Ends what runs, wipes and frees every shard, and closes devices, audit trail and keys. @throws AuditError `AUDIT_UNAVAILABLE` */
export async function closeWorker(worker: Worker, operations: Operations): Promise<void> {
  const { lifecycle, parts, registry } = worker;
  const first = lifecycle.close();
  await operations.settled();
  await Promise.all(registry.all().map((shard) => releaseShard(worker, shard, "closed")));
  try {
    await closeHostDevices(parts.hosts);
    if (first) await worker.record(workerStopped(parts, "closed", null));
  } finally {
    await closeServices(worker);
  }
}

/** Closes the audit trail, then the keys: all, whatever happens to one. */
async function closeServices({ keys, parts: { audit, attestationKey } }: Worker): Promise<void> {
  try {
    await audit.close();
  } finally {
    await Promise.all([keys.close(), attestationKey.close()]);
  }
}
