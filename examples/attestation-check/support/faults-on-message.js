// @ts-check
// Loaded into a worker under test with --import: its simulated GPU does what messages of the parent process say.
import * as control from "vram-simulator/control";

const { channel } = process;
process.on("message", (/** @type {{ call: "flipBit" | "setLatency" | "simulatorStats", args: never[] }} */ { call, args }) => {
  process.send?.({ answer: Reflect.apply(control[call], undefined, args) });
});
// The worker ends when it is told to, not when its test is done.
channel?.unref();
