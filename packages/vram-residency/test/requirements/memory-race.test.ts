import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { itWithFaults, openWorkplace, readEvents, temporaryFolder } from "../fixture.js";

const MiB = 1 << 20;
const MODEL_BYTES = 4 * MiB;
/** Left of the memory once one model is sealed: less than the next needs. */
const REST_BYTES = 2 * MiB;

interface Answer {
  readonly code: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly usedBytes: number;
  readonly allocatedBytes: number;
  readonly state: string;
}

class Contender {
  readonly auditDir: string;
  losses = 0;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;
  readonly #ended: Promise<unknown>;

  constructor(memoryBytes: number, sharedFile: string, auditDir: string) {
    const program = fileURLToPath(new URL("programs/contend.mjs", import.meta.url));
    this.auditDir = auditDir;
    this.#child = spawn(process.execPath, [program, String(memoryBytes), sharedFile, auditDir], { stdio: ["pipe", "pipe", "inherit"] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#ended = once(this.#child, "close");
    onTestFinished(() => void this.#child.kill("SIGKILL"));
  }

  async answer(): Promise<Answer> {
    const line = await this.#answers.next();
    if (line.done === true) throw new Error("the worker ended without an answer");
    return JSON.parse(line.value) as Answer;
  }

  order(command: "seal" | "close" | `seal ${number}`): Promise<Answer> {
    this.#child.stdin.write(`${command}\n`);
    return this.answer();
  }

  end(): Promise<unknown> {
    this.#child.stdin.end();
    return this.#ended;
  }

  kill(): Promise<unknown> {
    this.#child.kill("SIGKILL");
    return this.#ended;
  }
}

async function workspaceBytes(): Promise<number> {
  const { residency } = await openWorkplace();
  return residency.capacity().reservedBytes;
}

/** Both seal at the same moment; each allocates so long after it saw what is free. */
async function race(contenders: readonly [Contender, Contender], workspace: number, latencyMs: number): Promise<{ winner: Contender; loser: Contender }> {
  const [first, second] = contenders;
  const outcomes = await Promise.all(contenders.map((each) => each.order(`seal ${latencyMs}`)));
  const firstWon = outcomes[0]?.code === "sealed";
  const [winner, loser] = firstWon ? [first, second] : [second, first];
  loser.losses += 1;
  expect(firstWon ? outcomes : outcomes.reverse()).toEqual([
    { code: "sealed", usedBytes: MODEL_BYTES, allocatedBytes: workspace + MODEL_BYTES, state: "ready" },
    {
      code: "INSUFFICIENT_VRAM",
      details: expect.objectContaining({ neededBytes: MODEL_BYTES, availableBytes: REST_BYTES, reason: "shortage" }) as unknown,
      usedBytes: 0,
      allocatedBytes: workspace,
      state: "ready",
    },
  ]);
  return { winner, loser };
}

async function expectLossesTold({ auditDir, losses }: Contender): Promise<void> {
  const told = (await readEvents(auditDir)).filter(({ type }) => type === "vram.allocation.failed").map(({ data }) => data);
  expect(told).toHaveLength(losses);
  for (const data of told) expect(data).toMatchObject({ code: "INSUFFICIENT_VRAM", neededBytes: MODEL_BYTES, availableBytes: REST_BYTES });
}

itWithFaults("RP-001 RP-004 VP-004 of two processes that race for the last memory of a device one seals, and the other is refused and clean", async () => {
  const folder = await temporaryFolder();
  const workspace = await workspaceBytes();
  const memoryBytes = 2 * workspace + MODEL_BYTES + REST_BYTES;
  const contender = (name: string): Contender => new Contender(memoryBytes, join(folder, "memory"), join(folder, name));
  const contenders = [contender("first"), contender("second")] as const;
  for (const each of contenders) expect(await each.answer()).toMatchObject({ code: "open", allocatedBytes: workspace });

  for (const latencyMs of [0, 100, 0, 100]) {
    const { winner, loser } = await race(contenders, workspace, latencyMs);
    expect(await winner.order("close")).toMatchObject({ code: "closed", usedBytes: 0 });
    expect(await loser.order("seal")).toMatchObject({ code: "sealed" });
    expect(await loser.order("close")).toMatchObject({ code: "closed" });
  }

  const { winner, loser } = await race(contenders, workspace, 0);
  expect(await winner.kill()).toEqual([null, "SIGKILL"]);
  expect(await loser.order("seal")).toMatchObject({ code: "sealed", usedBytes: MODEL_BYTES });
  expect(await loser.end()).toEqual([0, null]);
  for (const each of contenders) await expectLossesTold(each);
});
