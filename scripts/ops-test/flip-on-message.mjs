// Loaded into a service on the simulator: flips the bit of device memory that a message of the parent process names.
import { flipBit } from "../../packages/vram-simulator/dist/control.js";

process.on("message", flipBit);
// A service ends when it is told to, not when its tester is done.
process.channel.unref();
