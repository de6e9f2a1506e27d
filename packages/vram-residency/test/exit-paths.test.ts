import { describe, expect, it } from "vitest";
import { VramError } from "../src/index.js";
import { closings } from "./exit-paths/closing.js";
import { keyChanges } from "./exit-paths/keys.js";
import { opening } from "./exit-paths/opening.js";
import { EXITS } from "./exit-paths/row.js";
import type { Operation, Row } from "./exit-paths/row.js";
import { Scene } from "./exit-paths/scene.js";
import { scrubbing } from "./exit-paths/scrubbing.js";
import { seals } from "./exit-paths/sealing.js";
import { verifications } from "./exit-paths/verifying.js";

const operations: readonly Operation[] = [opening, ...seals, ...verifications, scrubbing, ...keyChanges, ...closings];

/** Methods that only tell. */
const OBSERVERS = ["constructor", "capacity", "toJSON"];

/** How an operation ended: what it resolved to, or the error's code, or its name where it is not the package's. */
async function endOf(operation: () => Promise<unknown>): Promise<{ readonly ends: unknown; readonly cause?: unknown }> {
  try {
    return { ends: await operation() };
  } catch (error) {
    if (!(error instanceof VramError)) return { ends: (error as Error).name };
    return { ends: error.code, cause: (error.cause as Partial<VramError> | undefined)?.code };
  }
}

function titleOf({ exit, when }: Row): string {
  return when === undefined ? exit : `${exit}, ${when}`;
}

async function seen({ prepare, act }: Operation, row: Row) {
  const scene = await Scene.make(row.opening);
  await prepare?.(scene);
  await row.arrange?.(scene);
  const { size } = scene.audit.head();
  const { ends, cause } = await endOf(() => (row.act ?? act)(scene));
  const events = await scene.trailBehind(size);
  return { ends, ...(row.cause !== undefined && { cause }), events, state: scene.state };
}

describe.each(operations.map((operation) => [`${operation.method} of ${operation.of}`, operation] as const))("%s", (_, operation) => {
  it.each(operation.rows.map((row) => [titleOf(row), row] as const))("%s", async (_title, row) => {
    const { ends, cause, events, state } = row;
    expect(await seen(operation, row)).toEqual({ ends, ...(cause !== undefined && { cause }), events, state });
  });

  it("is here in every way that it can end", () => {
    const found = EXITS.filter((exit) => operation.rows.some((row) => row.exit === exit));
    expect(found).toEqual(EXITS.filter((exit) => !operation.never.includes(exit)));
  });
});

it("every operation of the public interface has its exit paths here", async () => {
  const scene = await Scene.make();
  await scene.open();
  const owners = [scene.residency, await scene.seal("s"), await scene.sealSet("m")];
  const methods = owners.flatMap(({ constructor }) => {
    const { prototype } = constructor as { readonly prototype: object };
    const functions = Object.entries(Object.getOwnPropertyDescriptors(prototype)).filter(([, { value }]) => typeof value === "function");
    return functions.map(([name]) => name).filter((name) => !OBSERVERS.includes(name)).map((name) => `${constructor.name}.${name}`);
  });
  expect([...new Set(operations.map(({ method }) => method))].sort()).toEqual(["openResidency", ...methods].sort());
});
