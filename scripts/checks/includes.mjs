// The direction of C++ includes: binding → ops → device → driver, and Node's interface in bindings only.
import { dirname, normalize } from "node:path/posix";
import { projectFiles, read } from "./tree.mjs";

/** Which folders under native/ a folder may include from; itself always. */
const INCLUDES = {
  kernel: [],
  hash: ["kernel"],
  driver: [],
  floor: [],
  device: ["driver", "hash"],
  ops: ["device", "driver", "hash", "kernel"],
  binding: ["ops", "device", "driver"],
  secret: ["hash", "kernel"],
  simulator: ["driver", "hash", "kernel"],
  fuzz: ["ops", "device", "driver", "hash", "simulator"],
  bench: ["ops", "device", "driver", "hash"],
};

const NODE = /^(napi|node_api|js_native_api|node|v8|uv)\b/;

/** What is wrong with one C++ file's includes. */
export function includeProblems(file, text) {
  const [, folder] = /^native\/([^/]+)\//.exec(file);
  if (!Object.hasOwn(INCLUDES, folder)) return [`${file}: no rule for native/${folder}`];
  const names = [...text.matchAll(/^\s*#\s*include\s*(?:[<"]([^>"]+)[>"]|(\S+))/gm)];
  return names.flatMap(([, name, macro]) => {
    if (name === undefined) return [`${file}: includes the computed name ${macro}`];
    if (NODE.test(name) && folder !== "binding" && !file.endsWith("_binding.cpp")) return [`${file}: only bindings include ${name}`];
    const path = name.startsWith(".") ? normalize(`${dirname(file)}/${name}`) : `native/${name.includes("/") ? name : `${folder}/${name}`}`;
    if (!path.startsWith("native/")) return [`${file}: ${name} leaves native/`];
    const target = path.split("/")[1];
    const wrong = (Object.hasOwn(INCLUDES, target) || target === "test") && target !== folder && !INCLUDES[folder].includes(target);
    return wrong ? [`${file}: ${folder} must not include ${name}`] : [];
  });
}

/** Tests may include what they need. */
export function checkIncludes() {
  const files = projectFiles(/^native\/[^/]+\/.*\.(cpp|h|cu|inc)$/).filter((file) => !file.includes("/test/"));
  const unseen = Object.keys(INCLUDES).filter((folder) => !files.some((file) => file.startsWith(`native/${folder}/`)));
  return [...unseen.map((folder) => `native/${folder}: no source found`), ...files.flatMap((file) => includeProblems(file, read(file)))];
}
