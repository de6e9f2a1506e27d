// The rows of the device: those of a GPU, which the simulator cannot give, and those of the simulator.

const GB = 1e9;

/** 64 MiB, 1 GiB, 8 GB. */
export function sizeName(byteLength) {
  if (byteLength % GB === 0) return `${byteLength / GB} GB`;
  const mebibytes = byteLength / 2 ** 20;
  return mebibytes < 1024 ? `${mebibytes} MiB` : `${mebibytes / 1024} GiB`;
}

const FAST = { unit: "GB/s", must: 500, aim: 800 };
const VERIFIED = [
  { size: "64 MiB", unit: "GB/s" },
  { size: "1 GiB", ...FAST },
  { size: "8 GB", unit: "ms", must: 16, aim: 11 },
  { size: "16 GiB", ...FAST },
];

function gpuRows({ device }, { verify, main }) {
  const sizes = verify.map(sizeName);
  const unjudged = /\bH200\b/.test(device.name) ? undefined : "the row is for an H200";
  const verified = (peer) => ({ id: `verify : ${peer}`, own: `verify ${sizeName(main)}`, peer });
  return [
    ...VERIFIED.map(({ size, ...limits }) => ({
      ...{ id: `verify ${size}`, own: `verify ${size}`, unjudged, ...limits },
      absent: sizes.includes(size) ? undefined : "left out by --quick",
    })),
    { ...verified("createHash"), peer: `createHash ${sizeName(main)}` },
    verified("copy back and hashlib in PyTorch"),
    verified("arithmetic ceiling"),
    { id: "sealed load : unsealed load", own: "sealed load", peer: "unsealed load", must: 0.95, aim: 0.98 },
    { id: "sealed load : host-to-device copy", own: "sealed load", peer: "host-to-device copy" },
    { id: "wipe without its check : memset", own: "wipe without its check", peer: "memset", must: 0.8, aim: 0.95 },
  ];
}

function simulatorRows({ cores }, { main }) {
  const own = `verify ${sizeName(main)}`;
  const unjudged = cores === 2 ? undefined : `the row is for two cores, here are ${cores}`;
  return [
    { id: "verify", own, unit: "MB/s", must: 400, aim: 800, unjudged },
    { id: "verify : createHash", own, peer: `createHash ${sizeName(main)}` },
    { id: "sealed load : unsealed load", own: "sealed load", peer: "unsealed load" },
  ];
}

/** On the simulator the GPU's rows stay, and say that they were not run. */
export function deviceRows({ machine, backend, sizes }) {
  const isGpu = backend !== "simulator";
  const named = (rows, prefix, more) => rows.map((row) => ({ ...row, id: `${prefix} ${row.id}`, backend, ...more }));
  if (isGpu) return named(gpuRows(machine, sizes), "GPU");
  return [...named(simulatorRows(machine, sizes), "simulator"), ...named(gpuRows(machine, sizes), "GPU", { absent: "not run on a GPU", backend: undefined })];
}
