import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { inKeyObjects } from "../src/keys/root-keys.js";
import { INSTANCE, statementFor, withDirectory, writeWithMode } from "./support/fixtures.js";
import { countIn, countInProcess } from "./support/process-memory.js";
import { digestOfShort, hmacStates, inMemory, inRegisters, sha256 } from "./support/sha256-states.js";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const PROGRAM = fileURLToPath(new URL("support/seal-forever.mjs", import.meta.url));
const SCANS = 3;
const CORE_PATTERN = "/proc/sys/kernel/core_pattern";

type Place = "a page" | "a KeyObject";

/** Everything that is as good as the root key, or as the MAC key of the instance. */
function needlesOf(root: Buffer) {
  const extracted = createHmac("sha256", "vram-seal/v1").update(root).digest();
  const macKey = Buffer.from(hkdfSync("sha256", root, "vram-seal/v1", `seal\0${INSTANCE}`, 32));
  const states = [extracted, macKey].flatMap(hmacStates);
  const padded = [root, extracted, macKey].flatMap((key) => [0x36, 0x5c].map((pad) => Buffer.from(key.map((byte) => byte ^ pad))));
  return { keys: [root, extracted, macKey, ...padded], states: states.map(inMemory), registers: states.flatMap(inRegisters) };
}

/** A process that seals without end, with its key in a page or, where the addon is not installed, in a KeyObject. */
async function whileSealing(place: Place, use: (child: ChildProcess & { pid: number }, directory: string, root: Buffer) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    const root = randomBytes(32);
    await writeWithMode(join(directory, "key"), root, 0o600);
    cpSync(DIST, join(directory, "package/dist"), { recursive: true });
    const index = place === "a page" ? join(DIST, "index.js") : join(directory, "package/dist/index.js");
    const statement = JSON.stringify(statementFor(inKeyObjects.random()));
    const program = [process.execPath, PROGRAM, pathToFileURL(index).href, join(directory, "key"), statement];
    const child = spawn("sh", ["-c", 'ulimit -c unlimited; exec "$@"', "sh", ...program], { cwd: directory, stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [line] = (await once(child.stdout, "data")) as [Buffer];
      expect(String(line)).toBe("sealing\n");
      if (child.pid === undefined) throw new Error("the child has no id");
      await use(child as ChildProcess & { pid: number }, directory, root);
    } finally {
      child.kill("SIGKILL");
    }
  });
}

describe("CI-006 the memory of a process that seals", () => {
  it("is searched for what it should be", () => {
    for (const length of [0, 3, 55]) expect(digestOfShort(Buffer.alloc(length, 7))).toEqual(sha256(Buffer.alloc(length, 7)));
  });

  it("holds no copy of a native key, nor of anything as good", async () => {
    await whileSealing("a page", ({ pid }, _, root) => {
      const { keys, states, registers } = needlesOf(root);
      const needles = [...keys, ...states, ...registers];
      for (let scan = 0; scan < SCANS; scan += 1) expect(countInProcess(pid, needles)).toEqual(needles.map(() => 0));
      return Promise.resolve();
    });
  });

  it("holds copies of a key in a KeyObject", async () => {
    await whileSealing("a KeyObject", ({ pid }, _, root) => {
      expect(countInProcess(pid, needlesOf(root).keys)[0]).toBeGreaterThan(0);
      return Promise.resolve();
    });
  });
});

describe("CI-006 a core dump of a process that seals", () => {
  const pattern = existsSync(CORE_PATTERN) ? readFileSync(CORE_PATTERN, "latin1").trim() : "|";
  const dumpsHere = !pattern.startsWith("|") && !pattern.includes("/");

  it.skipIf(!dumpsHere).each<[Place, string]>([
    ["a page", "no copy"],
    ["a KeyObject", "copies"],
  ])("holds, of a key in %s, %s", async (place) => {
    await whileSealing(place, async (child, directory, root) => {
      const ended = once(child, "exit");
      child.kill("SIGABRT");
      await ended;
      const [name] = (await readdir(directory)).filter((file) => file.startsWith("core"));
      if (name === undefined) throw new Error("the system wrote no core dump");
      const { keys, states } = needlesOf(root);
      const counts = countIn(await readFile(join(directory, name)), [...keys, ...states]);
      if (place === "a page") expect(counts).toEqual(counts.map(() => 0));
      else expect(counts[0]).toBeGreaterThan(0);
    });
  });
});

describe("CI-006 an addon that is there and does not load", () => {
  it("is an error, and no key is made without it", async () => {
    await withDirectory((directory) => {
      cpSync(DIST, join(directory, "dist"), { recursive: true });
      mkdirSync(join(directory, "build/Release"), { recursive: true });
      writeFileSync(join(directory, "build/Release/vram_secret.node"), "no addon");
      const script = `import(${JSON.stringify(pathToFileURL(join(directory, "dist/index.js")).href)}).then(async ({ generate, sealKeyMemory }) => {
        for (const act of [async () => sealKeyMemory(), generate]) console.log(await act().catch(({ code, details }) => code + " " + details.reason));
      })`;
      const { stdout } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
      expect(stdout).toBe("KEY_UNAVAILABLE addon\nKEY_UNAVAILABLE addon\n");
      return Promise.resolve();
    });
  });
});

describe("CI-006 where the system locks no memory", () => {
  it("a native key says that it is not locked", () => {
    const script = `import(${JSON.stringify(pathToFileURL(join(DIST, "index.js")).href)}).then(async ({ generate, sealKeyMemory }) => {
      console.log(sealKeyMemory(), (await generate()).locked);
    })`;
    // Root may lock what it likes.
    const user = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"] : [];
    const { stdout, stderr } = spawnSync("env", [...user, "prlimit", "--memlock=0:0", process.execPath, "-e", script], { encoding: "utf8" });
    expect([stdout, stderr]).toEqual(["unlocked false\n", ""]);
  });
});
