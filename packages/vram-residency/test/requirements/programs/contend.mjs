// A worker on a simulated device that it shares with other processes. Says on stdout when it is open, then answers each line of
// stdin, `seal` or `close`, with a line of JSON; ends with stdin. `seal 9` lets 9 ms pass between the look at the free memory and
// the allocation. Arguments: the device's memory in bytes, the shared file, the trail's folder.
import { createInterface } from "node:readline";
import { generate, openAuditLog, openResidency } from "vram-residency";
import { simulator } from "vram-simulator";
import { resetSimulator, setLatency, simulatorStats } from "vram-simulator/control";

const [memoryBytes, sharedMemoryFile, dir] = process.argv.slice(2);
resetSimulator({ devices: [{ memoryBytes: Number(memoryBytes), sharedMemoryFile }] });
const residency = await openResidency({
  sealKey: await generate(),
  audit: await openAuditLog({ dir }),
  workerId: "contender",
  policy: { allowBackends: ["simulator"] },
  driver: simulator(),
});
let shard;

function answer(outcome) {
  const { allocatedBytes } = simulatorStats();
  const { usedBytes } = residency.capacity();
  process.stdout.write(`${JSON.stringify({ ...outcome, usedBytes, allocatedBytes, state: residency.state })}\n`);
}

const commands = {
  async seal(latencyMs = 0) {
    setLatency("cuMemCreate", Number(latencyMs));
    shard = await residency.seal(Buffer.alloc(3 * 2 ** 20, 7));
    return { code: "sealed" };
  },
  async close() {
    await shard.close();
    return { code: "closed" };
  },
};

answer({ code: "open" });
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...values] = line.split(" ");
  answer(await commands[command](...values).catch(({ code, details }) => ({ code, details })));
}
await residency.close();
