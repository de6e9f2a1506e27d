import { readFileSync } from "node:fs";

export interface FsverityVector {
  readonly size: number;
  readonly salt: string;
  readonly digest: string;
}

export interface KeyVector {
  readonly rootKey: string;
  readonly keyId: string;
  readonly macKeys: readonly { readonly instanceId: string; readonly macKey: string }[];
}

export interface Outcome {
  readonly code: string;
  readonly reason: string;
}

export interface SealVectors {
  readonly keys: KeyVector & { readonly token: KeyVector & { readonly text: string } };
  readonly preAuthEncoding: { readonly type: string; readonly bodyBytes: number; readonly text: string };
  readonly valid: readonly {
    readonly name: string;
    readonly instanceId: string;
    readonly statement: unknown;
    readonly bytes: string;
    readonly seal: { readonly statement: string; readonly mac: string };
  }[];
  readonly invalid: readonly {
    readonly name: string;
    readonly instanceId: string;
    readonly seal: unknown;
    readonly outcome: Outcome;
  }[];
  readonly age: readonly {
    readonly name: string;
    readonly sealedAt: string;
    readonly nowMs: number;
    readonly maxAgeMs: number;
    readonly outcome: Outcome | null;
  }[];
}

export const fsverityVectors = (readVectors("fsverity.json") as { readonly vectors: readonly FsverityVector[] }).vectors;

export const sealVectors = readVectors("seal-v1.json") as SealVectors;

export const setVectors = (
  readVectors("set-v1.json") as {
    readonly vectors: readonly { readonly name: string; readonly digests: readonly string[]; readonly text: string; readonly setDigest: string }[];
  }
).vectors;

/** The data of the fs-verity vectors: byte i is i mod 251. */
export function patternedBytes(byteLength: number): Buffer {
  return Buffer.alloc(byteLength, Uint8Array.from({ length: 251 }, (_, index) => index));
}

function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), "utf8"));
}
