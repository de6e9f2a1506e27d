import { existsSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { SimulatorError, simulator } from "../src/index.js";
import {
  failCall,
  faultCopy,
  flipBit,
  hashNatively,
  loseDevice,
  resetSimulator,
  setLatency,
  setPointerAttribute,
  simulatorStats,
  skipKernel,
} from "../src/control.js";
import { tamper } from "../src/tamper.js";

beforeEach(() => {
  resetSimulator();
});

it("simulator() names a library that exists, and nothing else", () => {
  const source = simulator();
  expect(Object.keys(source)).toEqual(["libraryPath"]);
  expect(existsSync(source.libraryPath)).toBe(true);
});

it("a reset simulator holds nothing and was asked nothing", () => {
  expect(simulatorStats()).toEqual({
    allocations: [],
    freed: [],
    reservations: 0,
    contexts: 0,
    streams: 0,
    modules: 0,
    allocatedBytes: 0,
      pageLockedBytes: 0,
    calls: {},
  });
});

describe("a bad argument is INVALID_INPUT and names the argument", () => {
  const bufferId = "1";
  const cases: [argument: string, run: () => void][] = [
    ["memoryBytes", () => { resetSimulator({ devices: [{ memoryBytes: 0 }] }); }],
    ["memoryBytes", () => { resetSimulator({ devices: [{ memoryBytes: 2 ** 53 }] }); }],
    ["name", () => { resetSimulator({ devices: [{ name: "a\nb" }] }); }],
    ["attribute", () => { resetSimulator({ devices: [{ attributes: { 0: 1 } }] }); }],
    ["sharedMemoryFile", () => { resetSimulator({ devices: [{ sharedMemoryFile: "" }] }); }],
    ["sharedMemoryFile", () => { resetSimulator({ devices: [{ sharedMemoryFile: "a\0b" }] }); }],
    ["sharedMemoryFile", () => { resetSimulator({ devices: [{ sharedMemoryFile: 5 as never }] }); }],
    ["sharedMemoryFile", () => { resetSimulator({ devices: [{ sharedMemoryFile: "/dev/null" }] }); }],
    ["driverVersion", () => { resetSimulator({ driverVersion: Number.NaN }); }],
    ["entryPoint", () => { failCall({ entryPoint: "cuMemAllocManaged", code: 2 }); }],
    ["entryPoint", () => { failCall({ entryPoint: 5 as never, code: 2 }); }],
    ["code", () => { failCall({ entryPoint: "cuMemCreate", code: 0 }); }],
    ["after", () => { failCall({ entryPoint: "cuMemCreate", code: 2, after: -1 }); }],
    ["sticky", () => { skipKernel({ sticky: 1 as never }); }],
    ["bufferId", () => { flipBit({ bufferId: "0x1", byteOffset: 0 }); }],
    ["bufferId", () => { flipBit({ bufferId: "18446744073709551616", byteOffset: 0 }); }],
    ["byteOffset", () => { flipBit({ bufferId, byteOffset: 1.5 }); }],
    ["bit", () => { flipBit({ bufferId, byteOffset: 0, bit: 8 }); }],
    ["target", () => { flipBit({ bufferId, byteOffset: 0 }); }],
    ["byteOffset", () => { tamper({}, { byteOffset: -1 }); }],
    ["bit", () => { tamper({}, { byteOffset: 0, bit: 8 }); }],
    ["attribute", () => { setPointerAttribute(0, 1); }],
    ["value", () => { setPointerAttribute(2, -1n); }],
    ["value", () => { setPointerAttribute(2, 2n ** 64n); }],
    ["direction", () => { faultCopy({ direction: "sideways" as never, mode: "drop" }); }],
    ["mode", () => { faultCopy({ direction: "toHost", mode: "slow" as never }); }],
    ["code", () => { loseDevice(1); }],
    ["natively", () => { hashNatively(1 as never); }],
    ["milliseconds", () => { setLatency("cuMemCreate", 1e9); }],
  ];

  it.each(cases)("%s", (argument, run) => {
    expect(run).toThrow(SimulatorError);
    expect(run).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(run).toThrow(new RegExp(`^${argument} must `));
  });
});
