import { isIP } from "node:net";
import { isAbsolute } from "node:path";

/** Where the service is reached. */
export type Listen = { readonly host: string; readonly port: number } | { readonly socketPath: string };

const TCP = /^(?:\[(?<v6>[0-9A-Fa-f:.]{2,45})\]|(?<v4>[0-9.]{7,15})):(?<port>[0-9]{1,5})$/;
/** What fits the address of a socket of Linux. */
const SOCKET_PATH_MAX_BYTES = 107;

/** Reads `127.0.0.1:9464`, `[::1]:9464` or `unix:/run/vram/hold.sock`; undefined for anything else. */
export function parseListen(text: string): Listen | undefined {
  if (text.startsWith("unix:")) {
    const socketPath = text.slice("unix:".length);
    const fits = isAbsolute(socketPath) && !socketPath.includes("\0") && Buffer.byteLength(socketPath) <= SOCKET_PATH_MAX_BYTES;
    return fits ? { socketPath } : undefined;
  }
  const { v6, v4, port } = TCP.exec(text)?.groups ?? {};
  const host = v6 ?? v4 ?? "";
  if (isIP(host) === 0 || Number(port) > 65_535) return undefined;
  return { host, port: Number(port) };
}

/** Whether only this machine's processes reach it. */
export function isLoopback(listen: Listen): boolean {
  return "socketPath" in listen || listen.host === "127.0.0.1" || listen.host === "::1";
}
