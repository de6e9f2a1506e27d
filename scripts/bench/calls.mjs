// What a verification costs besides the digest: the steps of the facade's verify.ts, whole and one by one.
import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { evaluatePlacement } from "vram-policy";
import { createAttestation, generateAttestationKey, verifySeal } from "vram-seal";
import { once } from "./once.mjs";
import { quantile } from "./statistics.mjs";
import { isTokenAbsent, openTokenKey } from "./token.mjs";

const CALLS = 1_000;
const BLOCK = Buffer.alloc(4096, 1);
const ON_DEVICE = ["statement check", "attribute query"];
/** What it costs to hand anything to another thread and hear of it: libuv's thread pool, with a task of no weight. */
const ROUND_TRIP = "thread-pool round trip";
const ATTESTATION = "createAttestation() of 64 shards";
const TOKEN = "mac() of a key in SoftHSM";
const oneRandomByte = promisify(randomBytes);
/** What `sealKey.mac()` asks of the addon. */
const NATIVE_HMAC = "native HMAC";
const ON_HOST = ["verifySeal()", "evaluatePlacement()", "sealKey.mac()", NATIVE_HMAC];

/** Where vram-seal looks for its addon. */
const ADDONS = ["build/Release", `prebuilds/${process.platform}-${process.arch}`].map((folder) => `../${folder}/vram_secret.node`);

/** So many calls, each timed by itself: their median and their 99th percentile. */
export async function timeCalls(call) {
  const seconds = [];
  for (let done = 0; done < CALLS; done += 1) {
    const startMs = performance.now();
    await call();
    seconds.push((performance.now() - startMs) / 1e3);
  }
  return { seconds: quantile(seconds, 0.5), p99Seconds: quantile(seconds, 0.99) };
}

/** What a worker with so many shards says in an attestation: that of one, the shard repeated under other names. */
async function attestationOf(shardCount, worker, shard) {
  const envelope = await worker.attest(shard, { nonce: randomBytes(32) });
  const statement = JSON.parse(Buffer.from(JSON.parse(envelope).payload, "base64"));
  const { subject, predicate } = statement;
  const repeated = ([each], name) => Array.from({ length: shardCount }, (_, index) => ({ ...each, [name]: `shard-${index}` }));
  return { ...statement, subject: repeated(subject, "name"), predicate: { ...predicate, shards: repeated(predicate.shards, "shardId") } };
}

function nativeHmac(instanceId, message) {
  const seal = import.meta.resolve("vram-seal");
  const addon = ADDONS.find((path) => existsSync(new URL(path, seal)));
  const { RootKey } = createRequire(seal)(addon);
  const key = new RootKey("random");
  const mac = new Uint8Array(32);
  return () => key.mac(instanceId, message, mac);
}

/** A sealed block for its statement, and one beneath the facade for its placement. */
async function prepare({ device, policy, residency, sealKey: key }) {
  const worker = await residency();
  const shard = await worker.seal(BLOCK);
  const { seal } = shard;
  const attestation = await attestationOf(64, worker, shard);
  const attestationKey = generateAttestationKey();
  const allocation = await device.allocate(BLOCK.length);
  await allocation.append(BLOCK);
  await allocation.finishLoad();
  await allocation.freeze();
  const sealed = await allocation.placement();
  const statement = Buffer.from(seal.statement, "base64");
  const { instanceId, gpuDevice, shardId } = JSON.parse(statement);
  const registry = new Map([[shardId, { seal, allocation }]]);
  const hmacKey = createSecretKey(randomBytes(32));
  const judge = (facts) => evaluatePlacement({ facts, gpuDevice, sealed }, policy);
  if (!judge(sealed).ok) throw new Error("the placement is refused");
  return {
    "statement check": async () => {
      const live = registry.get(shardId);
      const facts = live.allocation.placement();
      await verifySeal(live.seal, { key, instanceId });
      judge(await facts);
    },
    "verifySeal()": () => verifySeal(seal, { key, instanceId }),
    "attribute query": () => allocation.placement(),
    "evaluatePlacement()": () => judge(sealed),
    [NATIVE_HMAC]: nativeHmac(instanceId, statement),
    "sealKey.mac()": () => key.mac(instanceId, statement),
    createHmac: () => createHmac("sha256", hmacKey).update(statement).digest(),
    [ROUND_TRIP]: () => oneRandomByte(1),
    [ATTESTATION]: () => createAttestation(attestation, attestationKey),
  };
}

export function callGroup({ folder, workplace }) {
  const { backend } = workplace;
  const calls = once(() => prepare(workplace));
  const subject = (id) => ({ id, backend: ON_DEVICE.includes(id) ? backend : undefined, measure: async () => timeCalls((await calls())[id]) });
  const own = [...ON_DEVICE, ...ON_HOST].map(subject);
  const tokenKey = once(() => openTokenKey(folder));
  const measureToken = async () => {
    const key = await tokenKey();
    return timeCalls(() => key.mac("0".repeat(32), BLOCK));
  };
  return {
    name: "calls",
    subjects: [...own, subject("createHmac"), subject(ROUND_TRIP), subject(ATTESTATION), { id: TOKEN, absent: isTokenAbsent(), measure: measureToken }],
    rows: [
      { id: "statement check without digest, p99", backend, own: "statement check", of: "p99Seconds", unit: "µs", must: 100, aim: 50 },
      { id: `statement check : ${ROUND_TRIP}, p99`, backend, own: "statement check", peer: ROUND_TRIP, of: "p99Seconds" },
      { id: "attestation of 64 shards, beside their verification", own: ATTESTATION, unit: "ms", must: 5, aim: 5 },
      { id: "a direct key in SoftHSM, a MAC", own: TOKEN, unit: "µs", must: 100, aim: 50 },
      ...own.map(({ id, backend }) => ({ id: `${id} : createHmac`, backend, own: id, peer: "createHmac", ...(id === NATIVE_HMAC ? { must: 2, aim: 3 } : {}) })),
    ],
  };
}
