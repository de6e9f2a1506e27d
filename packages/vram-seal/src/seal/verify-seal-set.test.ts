import { beforeAll, describe, expect, it } from "vitest";
import { INSTANCE, failureOf, statementFor, vectorKey } from "../../test/support/fixtures.js";
import type { SealKey } from "../keys/seal-key.js";
import { createSeal } from "./create-seal.js";
import type { Seal, SealStatement } from "./seal-statement.js";
import { verifySealSet } from "./verify-seal-set.js";

let key: SealKey;
let seals: readonly Seal[];

const member = (shardIndex: number, changes: Partial<SealStatement> = {}): Promise<Seal> =>
  createSeal(statementFor(key, { shardId: `m-${shardIndex}`, setId: "m", shardIndex, totalShards: 3, ...changes }), key);
const verify = (presented: unknown) => verifySealSet(presented as readonly unknown[], { key, instanceId: INSTANCE });

beforeAll(async () => {
  key = vectorKey();
  seals = await Promise.all([member(0), member(1), member(2)]);
});

describe("verifySealSet", () => {
  it("answers the statements by shard index, in whatever order the seals come", async () => {
    const [first, second, third] = seals;
    const statements = await verify([third, first, second]);
    expect(statements.map(({ shardId }) => shardId)).toEqual(["m-0", "m-1", "m-2"]);
    expect(Object.isFrozen(statements)).toBe(true);
  });

  const cases: readonly (readonly [title: string, change: () => Promise<readonly unknown[]> | readonly unknown[]])[] = [
    ["no seal", () => []],
    ["a missing first member", () => seals.slice(1)],
    ["a missing last member", () => seals.slice(0, 2)],
    ["a member twice", () => [...seals.slice(0, 2), seals[1]]],
    ["a surplus second seal of a member", async () => [...seals, await member(1, { sealSequence: 9 })]],
    ["a member of another set", async () => [...seals.slice(0, 2), await member(2, { setId: "other" })]],
    ["a surplus member of another set", async () => [...seals, await member(0, { setId: "other" })]],
    ["a member of a set of another size", async () => [...seals.slice(0, 2), await member(2, { totalShards: 4 })]],
    ["a seal of no set", async () => [await member(0, { setId: null, shardIndex: null, totalShards: null })]],
    ["indices without a set", async () => Promise.all([0, 1, 2].map((index) => member(index, { setId: null })))],
  ];
  it.each(cases)("refuses %s", async (_, change) => {
    expect(await failureOf(async () => verify(await change()))).toEqual({ code: "SEAL_VERIFICATION_FAILED", reason: "set" });
  });

  it("refuses what verifySeal refuses, for the same reason", async () => {
    const [first, second, third] = seals;
    const swapped = { statement: first?.statement, mac: second?.mac };
    expect(await failureOf(() => verify([swapped, second, third]))).toEqual({ code: "SEAL_VERIFICATION_FAILED", reason: "mac" });
    expect(await failureOf(() => verify([first, second, null]))).toEqual({ code: "SEAL_VERIFICATION_FAILED", reason: "shape" });
  });

  it.each([undefined, null, {}, "seals"])("refuses %j as a list", async (presented) => {
    expect(await failureOf(() => verify(presented))).toEqual({ code: "SEAL_VERIFICATION_FAILED", reason: "shape" });
  });

  it("runs no code of the list", async () => {
    const trapped = new Proxy([...seals], { get: () => { throw new Error("ran"); } });
    expect(await failureOf(() => verify(trapped))).toEqual({ code: "SEAL_VERIFICATION_FAILED", reason: "shape" });
  });
});
