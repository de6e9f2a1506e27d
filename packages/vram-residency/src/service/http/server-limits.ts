/** What a server gives to all clients together, and how long it waits for one. */
export interface ServerLimits {
  readonly connections: number;
  readonly streams: number;
  /** For the headers of a request, and for a connection that sends none. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** For the next request. */
  readonly keepAliveMs: number;
  /** For a client that takes nothing of what it asked for. */
  readonly stalledMs: number;
  /** Between signs of life in a stream without events; less than `stalledMs`. */
  readonly heartbeatMs: number;
  /** For requests that run when the server closes. */
  readonly graceMs: number;
}

export const SERVER_LIMITS: ServerLimits = {
  connections: 256,
  streams: 32,
  headersMs: 5000,
  requestMs: 10_000,
  keepAliveMs: 5000,
  stalledMs: 30_000,
  heartbeatMs: 15_000,
  graceMs: 2000,
};
