import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PIN } from "./hsm.js";

export const TPM_LIBRARY = "/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so";
const PATIENCE_MS = 10_000;

/** A software TPM behind its access broker, with one PKCS #11 token and a secret key in it. */
export async function startTpm(token: string, key: string) {
  const folder = mkdtempSync(join(tmpdir(), "vram-tpm-"));
  const [state, store, socket, bus] = ["state", "store", "tpm", "bus"].map((name) => join(folder, name)) as [string, string, string, string];
  mkdirSync(state);
  mkdirSync(store);
  const running: ChildProcess[] = [];
  const start = (program: string, args: readonly string[]): ChildProcess => {
    const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus}` } });
    running.push(child);
    return child;
  };
  start("swtpm", ["socket", "--tpm2", "--tpmstate", `dir=${state}`, "--server", `type=unixio,path=${socket}`, "--ctrl", `type=unixio,path=${socket}.ctrl`, "--flags", "not-need-init,startup-clear"]);
  start("dbus-daemon", ["--session", "--nofork", `--address=unix:path=${bus}`]);
  await untilTrue(() => existsSync(socket) && existsSync(bus));
  const broker = start("tpm2-abrmd", ["--session", "--allow-root", `--tcti=swtpm:path=${socket}`]);
  Object.assign(process.env, {
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus}`,
    TPM2_PKCS11_TCTI: "tabrmd:bus_type=session",
    TPM2TOOLS_TCTI: "tabrmd:bus_type=session",
    TPM2_PKCS11_STORE: store,
  });
  const ptool = (...args: readonly string[]): unknown => execFileSync("tpm2_ptool", [...args, `--path=${store}`], { stdio: "pipe", timeout: PATIENCE_MS });
  await untilTrue(() => succeeds(() => ptool("init")));
  ptool("addtoken", "--pid=1", `--label=${token}`, `--userpin=${PIN}`, "--sopin=56789");
  ptool("addkey", "--algorithm=hmac:sha256", `--label=${token}`, `--key-label=${key}`, `--userpin=${PIN}`);
  return {
    /** As when the TPM goes away. */
    pull: () => end(broker),
    remove: async (): Promise<void> => {
      await Promise.all(running.map(end));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

async function untilTrue(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("the software TPM does not start");
    await delay(100);
  }
}
