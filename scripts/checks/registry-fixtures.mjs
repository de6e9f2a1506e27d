// A rehearsal with a registry of the world in its configuration ends at once, with exit status 1, before it has installed, built or
// started anything.
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isLoopback } from "../release/loopback.mjs";
import { root } from "./tree.mjs";

const PUBLIC = "https://registry.example/";
const REFUSED = /the registry in force for \w+ is not on this machine|npm has a scope/;
const PROGRAMS = ["release-rehearse.mjs", "free-ports.mjs", "pnpm.mjs", "run-program.mjs", "release", "checks"];

/** What each has in the project's folder, and in the environment, where FOLDER stands for that folder. */
const CONFIGURATIONS = {
  "the environment": { env: { PNPM_CONFIG_REGISTRY: PUBLIC } },
  "the user's configuration": { files: { "user.npmrc": `registry=${PUBLIC}\n` }, env: { PNPM_CONFIG_USERCONFIG: "FOLDER/user.npmrc" } },
  "the project's .npmrc": { files: { ".npmrc": `registry=${PUBLIC}\n` } },
  "a scope with a registry": { files: { ".npmrc": `scope=@acme\n@acme:registry=${PUBLIC}\n` } },
  "the workspace": { files: { "pnpm-workspace.yaml": `registry: ${PUBLIC}\n` } },
};

const LOOPBACK = ["http://127.0.0.1:4873/", "http://localhost:1/", "http://[::1]:4873/"];
const FOREIGN = [
  PUBLIC,
  "http://127.0.0.1.registry.example/",
  "http://127.0.0.1@registry.example/",
  "http://user@127.0.0.1:4873/",
  "http://localhost.registry.example/",
  "http://registry.example/127.0.0.1/",
  "file:///127.0.0.1",
  "127.0.0.1:4873",
  "undefined",
  "",
];

/** A project with nothing but the rehearsal's programs, nothing installed; a build, an installation or a clone would fail in it, and be told. */
function makeProject(folder, files) {
  for (const name of PROGRAMS) {
    cpSync(join(root, "scripts", name), join(folder, "scripts", name), { recursive: true, filter: (path) => !path.includes("node_modules") });
  }
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

async function refusalProblems(work, name, { files = {}, env = {} }, index) {
  const project = join(work, `project-${index}`);
  const temporary = join(work, `temporary-${index}`);
  mkdirSync(temporary);
  makeProject(project, files);
  const added = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, value.replace("FOLDER", project)]));
  const { code, stdout, stderr } = await new Promise((resolve) => {
    execFile(process.execPath, ["scripts/release-rehearse.mjs"], { cwd: project, env: { ...process.env, ...added, TMPDIR: temporary } }, (error, out, err) => {
      resolve({ code: error?.code ?? 0, stdout: out, stderr: err });
    });
  });
  return [
    ...(code === 1 && REFUSED.test(stderr) ? [] : [`${name}: exit status ${code}: ${stderr}`]),
    ...(stdout === "" && !existsSync(join(project, "scripts/release/node_modules")) ? [] : [`${name}: something was begun`]),
    ...readdirSync(temporary).map((left) => `${name}: left ${left}`),
  ];
}

export async function checkRegistryRefusal() {
  const work = mkdtempSync(join(tmpdir(), "vram-registry-"));
  try {
    const cases = Object.entries(CONFIGURATIONS).map(([name, configuration], index) => refusalProblems(work, name, configuration, index));
    return [
      ...LOOPBACK.filter((registry) => !isLoopback(registry)).map((registry) => `wrongly refused: ${registry}`),
      ...FOREIGN.filter(isLoopback).map((registry) => `not refused: ${registry}`),
      ...(await Promise.all(cases)).flat(),
    ];
  } finally {
    rmSync(work, { recursive: true });
  }
}
