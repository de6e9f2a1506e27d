import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createSeal, fromPkcs11, verifySeal } from "../src/index.js";
import type { Pkcs11Options, SealKey } from "../src/index.js";
import { INSTANCE, failureOf, statementFor } from "./support/fixtures.js";
import { PIN, itWithHsm, pkcs11 } from "./support/hsm.js";
import { TPM_LIBRARY, startTpm } from "./support/tpm.js";

let tpm: Awaited<ReturnType<typeof startTpm>> | undefined;

beforeAll(async () => {
  if (itWithHsm === it) tpm = await startTpm("vram", "seal");
});
afterAll(() => tpm?.remove());

async function open(mode: Pkcs11Options["mode"]): Promise<SealKey> {
  const key = await fromPkcs11({ library: TPM_LIBRARY, token: "vram", pin: PIN, key: "seal", mode, module: pkcs11() });
  onTestFinished(() => key.close());
  return key;
}

describe("CI-005 a key in a TPM", () => {
  itWithHsm.each(["direct", "derive"] as const)("seals and verifies (%s)", async (mode) => {
    const key = await open(mode);
    expect(key.locked).toBe(true);
    const seal = await createSeal(statementFor(key), key);
    const again = await open(mode);
    expect((await verifySeal(seal, { key: again, instanceId: INSTANCE })).keyId).toBe(key.keyId);
  });

  itWithHsm("is KEY_UNAVAILABLE when the TPM goes away: no seal, no crash", async () => {
    const key = await open("direct");
    await createSeal(statementFor(key), key);
    await tpm?.pull();
    expect(await failureOf(() => createSeal(statementFor(key), key))).toMatchObject({ code: "KEY_UNAVAILABLE", reason: "token" });
    await key.close();
  });
});
