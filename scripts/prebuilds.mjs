// Builds the native addons that the packages ship, reproducibly, into packages/*/prebuilds, and checks what they need.
// npm run prebuilds [-- --target linux-x64 --target linux-arm64] [--try-arm64]
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { buildTargets } from "./prebuilds/build.mjs";
import { TARGETS } from "./prebuilds/toolchain.mjs";
import { tryArm64 } from "./prebuilds/try-arm64.mjs";

const { values } = parseArgs({ options: { target: { type: "string", multiple: true }, "try-arm64": { type: "boolean", default: false } } });
const unknown = values.target?.find((target) => !Object.hasOwn(TARGETS, target));
if (unknown !== undefined) {
  console.error(`--target must be one of: ${Object.keys(TARGETS).join(", ")}`);
  process.exit(2);
}

try {
  const required = values.target !== undefined || process.env.VRAM_REQUIRE_TOOLS !== undefined;
  const { built, leftOut } = buildTargets(values.target ?? Object.keys(TARGETS), { required });
  for (const { target, addons } of built) {
    for (const { file, byteLength, newest, libraries } of addons) {
      console.log(`${target}  ${basename(file)}  ${(byteLength / 1024).toFixed(0)} KiB  ${newest}  ${libraries.join(" ")}`);
    }
  }
  for (const problem of leftOut) console.error(`LEFT OUT: ${problem}`);
  if (built.length === 0) throw new Error("no target was built");
  if (values["try-arm64"]) console.log(tryArm64());
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
