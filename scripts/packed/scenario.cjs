// What a user of the installed packages does: seals model files, executes a native engine on verified views, and is refused
// when one bit has changed. Runs in a folder of its own; reads the files again to know what the engine must answer.
const assert = require("node:assert/strict");
const { mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

let seed = 20261124;
function randomFloats(length) {
  return Float32Array.from({ length }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32 - 0.5;
  });
}

/** Writes F32 matrices, `{ name: [rows, columns] }`, as one safetensors file. */
function writeModel(path, shapes) {
  let offset = 0;
  const header = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const end = offset + 4 * shape[0] * shape[1];
    header[name] = { dtype: "F32", shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, Buffer.from(randomFloats(offset / 4).buffer)]));
}

/** y = W x with W as the file has it, each product and each sum rounded to F32. */
function linearFromFile(path, name, x) {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE());
  const { shape, data_offsets } = JSON.parse(file.subarray(8, start))[name];
  const weight = (index) => file.readFloatLE(start + data_offsets[0] + 4 * index);
  return Float32Array.from({ length: shape[0] }, (_, row) =>
    x.reduce((sum, element, column) => Math.fround(sum + Math.fround(weight(row * shape[1] + column) * element)), 0),
  );
}

exports.scenario = async function scenario(title, api) {
  const folder = join(process.cwd(), title);
  mkdirSync(folder);
  const single = { path: join(folder, "model.safetensors"), shapes: { query: [64, 48], output: [257, 129], one: [1, 1] } };
  writeModel(single.path, single.shapes);
  const layers = [1, 2, 3, 4].map((number) => ({
    name: `layers.${number}.weight`,
    fileName: `model-0000${number}-of-00004.safetensors`,
    shape: [16 + number, 15 + number],
  }));
  for (const { name, fileName, shape } of layers) writeModel(join(folder, fileName), { [name]: shape });
  const index = join(folder, "model.safetensors.index.json");
  writeFileSync(index, JSON.stringify({ weight_map: Object.fromEntries(layers.map(({ name, fileName }) => [name, fileName])) }));

  let engineRuns = 0;
  const run = (lease, name, x) => {
    engineRuns += 1;
    return api.linear(lease.view(lease.tensors.get(name), { minAlignment: 4 }), x);
  };
  const onGpu = process.argv.includes("--gpu");
  let opened = 0;
  const open = async () => {
    opened += 1;
    const dir = join(folder, `audit-${opened}`);
    const residency = await api.openResidency({
      sealKey: await api.generate(),
      audit: await api.openAuditLog({ dir }),
      workerId: `packed-${opened}`,
      ...(onGpu ? {} : { driver: api.simulator(), policy: { allowBackends: ["simulator"] } }),
    });
    return { residency, dir };
  };
  /** The next execute is refused before the engine runs, the worker stops, and its log is whole. */
  const expectRefused = async ({ residency, dir }, target) => {
    const before = engineRuns;
    await assert.rejects(
      residency.execute(target, (lease) => run(lease, "query", randomFloats(48))),
      (error) => error.code === "SEAL_VERIFICATION_FAILED",
    );
    assert.equal(engineRuns, before);
    assert.equal(residency.state, "stopped");
    await residency.close();
    assert.equal((await api.verifyAuditLog({ dir })).ok, true);
  };

  const one = await open();
  const shard = await one.residency.seal(single.path, { shardId: "single" });
  for (const [name, [, columns]] of Object.entries(single.shapes)) {
    const x = randomFloats(columns);
    assert.deepEqual(await one.residency.execute(shard, (lease) => run(lease, name, x)), linearFromFile(single.path, name, x));
  }
  await one.residency.execute(shard, (lease) => api.tamper(lease.view(lease.tensors.get("output")), { byteOffset: 4321, bit: 6 }));
  await expectRefused(one, shard);

  const many = await open();
  const set = await many.residency.sealSet(index, { setId: "sharded" });
  const x = randomFloats(16);
  const expected = layers.reduce((hidden, { name, fileName }) => linearFromFile(join(folder, fileName), name, hidden), x);
  assert.deepEqual(
    await many.residency.execute(set, (lease) => layers.reduce((hidden, { name }) => run(lease, name, hidden), x)),
    expected,
  );
  await many.residency.execute(set, (lease) => api.tamper(lease.view(lease.tensors.get(layers[3].name)), { byteOffset: 0, bit: 0 }));
  await expectRefused(many, set);
  console.log(
    `${title} on the ${onGpu ? "GPU" : "simulator"}: ${engineRuns} runs of the engine on views of one file and of four gave what the files give; one flipped bit in either was refused before the engine ran`,
  );
};
