import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import type { Server } from "node:net";
import { VramError } from "../../errors.js";
import type { Listen } from "../listen-address.js";

/** A socket is its owner's alone from the moment it is there. */
const SOCKET_UMASK = 0o177;

const EXPECTATIONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "name an address that is free: end the process that listens there, or choose another",
  EADDRNOTAVAIL: "name an address of this machine",
  EACCES: "name an address at which this user may listen",
  EPERM: "name an address at which this user may listen",
  ENOENT: "name a socket in a folder that exists",
};

/**
 * Lets a server listen. A socket that a dead process left behind is replaced.
 * @throws VramError `INVALID_CONFIG`, with the remedy
 */
export async function bind(server: Server, listen: Listen): Promise<void> {
  try {
    await ("socketPath" in listen ? bindSocket(server, listen.socketPath) : listening(server, () => server.listen(listen)));
  } catch (error) {
    const errno = errnoOf(error);
    throw new VramError("INVALID_CONFIG", `listen must ${EXPECTATIONS[errno] ?? `name an address at which one can listen (${errno})`}`, {
      details: { argument: "listen", errno },
    });
  }
}

async function bindSocket(server: Server, path: string): Promise<void> {
  try {
    await listening(server, () => { listenPrivately(server, path); });
  } catch (error) {
    if (errnoOf(error) !== "EADDRINUSE" || !(await isAbandoned(path))) throw error;
    await unlink(path);
    await listening(server, () => { listenPrivately(server, path); });
  }
}

/** The socket is made within `listen`: no other code of this thread runs under the mask. */
function listenPrivately(server: Server, path: string): void {
  const before = process.umask(SOCKET_UMASK);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void) => () => {
      server.off("error", failed).off("listening", succeeded);
      then();
    };
    const failed = (error: Error): void => { settle(() => { reject(error); })(); };
    const succeeded = settle(resolve);
    server.on("error", failed).on("listening", succeeded);
    listen();
  });
}

/** Whether it is a socket at which nobody listens. */
async function isAbandoned(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false;
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", (error) => { resolve(errnoOf(error) === "ECONNREFUSED"); });
  });
}

function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "UNKNOWN";
}
