import { randomBytes } from "node:crypto";
import { connect, createServer, type Server } from "node:net";
import { errnoOf, unavailable } from "../audit-error.js";
import type { AuditDirectory } from "./audit-directory.js";

const LOCK_NAME = /^lock\.[0-9a-f]{16}$/;

export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Excludes a second writer, in this process or another, until `release` or until the process ends in any way.
 *
 * The lock is a listening socket with a random name in the directory. The kernel closes it with the process, so nothing
 * has to be judged by process ids, which repeat and differ between containers; unlike an abstract socket it is seen
 * from every network namespace and nobody who cannot enter the directory can hold it. Each contender listens first and
 * looks for others second, so of two at least the later one sees the other: both may give up, never both go on.
 *
 * @throws AuditError `AUDIT_UNAVAILABLE` with reason `locked`
 */
export async function lockDirectory(directory: AuditDirectory): Promise<DirectoryLock> {
  const own = `lock.${randomBytes(8).toString("hex")}`;
  const server = await listen(directory.entry(own));
  const release = () => close(server);
  try {
    const others = (await directory.names()).filter((name) => LOCK_NAME.test(name) && name !== own);
    for (const name of others) {
      if (await isHeld(directory.entry(name))) throw unavailable("locked", "the audit log has another writer");
    }
    // Safe for a contender that does not listen yet, too: when it does, it looks, and finds this lock.
    await Promise.all(others.map((name) => directory.remove(name)));
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.once("error", reject);
    server.listen({ path, exclusive: true }, () => {
      server.off("error", reject);
      // An accept that fails, out of descriptors say, does not end the lock.
      server.on("error", () => undefined);
      server.unref();
      resolve(server);
    });
  });
}

/** Only a refusal shows that nobody listens; a full backlog is a holder too. */
function isHeld(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(path);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", (error) => {
      resolve(!["ECONNREFUSED", "ENOENT"].includes(errnoOf(error)));
    });
  });
}

/** Closing removes the socket's name as well. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
