import { spawn } from "node:child_process";
import { fileErrorCode } from "../file-error.js";

const PROGRAM = "systemd-notify";

/** Tells the service manager how the service stands (sd_notify). Without a service manager that asks for it, tells nobody. */
export interface Notifier {
  /** Adds to what is told, in order; resolves when the manager has it or could not be told. */
  tell(...fields: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

const SILENT: Notifier = { tell: () => Promise.resolve(), close: () => Promise.resolve() };

/**
 * The notifier for this process's environment. Node has no datagram sockets of Unix, so the messages go by `systemd-notify`, which
 * the unit lets speak for the service with `NotifyAccess=all`; where it is absent, `notice` is told so once. With a watchdog in the
 * unit it is told at half of its time that the process runs.
 */
export function openNotifier(env: NodeJS.ProcessEnv, notice: (line: string) => void): Notifier {
  const { NOTIFY_SOCKET, PATH } = env;
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === "") return SILENT;
  let last = Promise.resolve();
  let isFailing = false;
  const send = async (fields: readonly string[]): Promise<void> => {
    const failure = await run(fields, { NOTIFY_SOCKET, PATH });
    if (failure !== undefined && !isFailing) notice(`The service manager cannot be told how the service stands: ${PROGRAM} ${failure}.`);
    isFailing = failure !== undefined;
  };
  const tell = (...fields: readonly string[]): Promise<void> => (last = last.then(() => send(fields)));
  const intervalMs = watchdogMs(env) / 2;
  const timer = intervalMs > 0 ? setInterval(() => { void tell("WATCHDOG=1"); }, intervalMs) : undefined;
  timer?.unref();
  return {
    tell,
    async close() {
      clearInterval(timer);
      await last;
    },
  };
}

/** 0 without a watchdog for this process. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number {
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== process.pid.toString()) return 0;
  return /^[1-9][0-9]{0,14}$/.test(WATCHDOG_USEC ?? "") ? Math.max(2, Number(WATCHDOG_USEC) / 1000) : 0;
}

/** The fields of a reload's beginning. */
export function reloadingFields(): readonly string[] {
  // libuv's high resolution clock is CLOCK_MONOTONIC.
  return ["RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`];
}

/** A status line of one line. */
export function statusField(text: string): string {
  return `STATUS=${text.replaceAll(/\p{Cc}/gu, " ")}`;
}

/** Resolves to what went wrong, if anything. */
function run(fields: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(PROGRAM, fields, { env, stdio: "ignore" });
    child.once("error", (error) => { resolve(`cannot be run (${fileErrorCode(error)})`); });
    child.once("exit", (code) => { resolve(code === 0 ? undefined : `ended with ${code ?? "a signal"}`); });
  });
}
