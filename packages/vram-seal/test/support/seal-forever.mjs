// Seals and verifies without end, with the key of a file. Told when it has begun: "sealing" on stdout.
// node seal-forever.mjs INDEX_JS KEY_FILE STATEMENT_JSON
import { setImmediate } from "node:timers/promises";

const [index, keyFile, statementJson] = process.argv.slice(2);
const { createSeal, fromKeyFile, verifySeal } = await import(index);
const key = await fromKeyFile(keyFile);
const statement = { ...JSON.parse(statementJson), keyId: key.keyId, keyLocked: key.locked };
for (let count = 0; ; count += 1) {
  const seal = await createSeal(statement, key);
  await verifySeal(seal, { key, instanceId: statement.instanceId });
  if (count === 500) console.log("sealing");
  if (count % 100 === 0) await setImmediate();
}
