// What is fuzzed in TypeScript. A target has `seeds`, `words`, and `run(bytes)`, which throws where anything happens but the
// typed refusal or the consistent answer that it may; it answers a word for the outcome, so that new ones are kept.
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "tsup";
import { root } from "../checks/tree.mjs";

const LINE_FEED = 10;

/** Bundles inner modules of a package, which it does not export. */
async function load(name, entry) {
  const outDir = join(root, ".results/fuzz-modules");
  await build({ entry: { [name]: join(root, entry) }, outDir, format: "esm", config: false, dts: false, silent: true, clean: false, noExternal: [/vram-(addon|text)/], external: ["pkcs11js"] });
  return import(join(outDir, `${name}.mjs`)).catch(() => import(join(outDir, `${name}.js`)));
}

function refusal(error, className, codes) {
  if (error?.name === className && codes.includes(error.code)) return `${error.code} ${error.message.replaceAll(/\d+/g, "#")}`;
  throw error;
}

/** Whether every tensor lies within the image and none touches another. */
function isConsistent({ tensors, dataOffset }, byteLength) {
  const places = [...tensors.values()].filter((tensor) => tensor.byteLength > 0).sort((a, b) => a.byteOffset - b.byteOffset);
  const apart = places.every(({ byteOffset }, index) => byteOffset >= (index === 0 ? dataOffset : places[index - 1].byteOffset + places[index - 1].byteLength));
  return apart && places.every((tensor) => tensor.byteOffset + tensor.byteLength <= byteLength);
}

async function headerTarget(format, seeds, words) {
  const { readModelHeader } = await load("header", "packages/vram-residency/src/model/header.ts");
  return {
    ...{ seeds, words },
    async run(image) {
      if (image.length === 0) return "empty";
      let position = 0;
      const read = (length) => {
        position += length;
        if (position > image.length) throw new RangeError("read beyond the end");
        return Promise.resolve(Uint8Array.from(image.subarray(position - length, position)));
      };
      let header;
      try {
        header = await readModelHeader({ byteLength: image.length, read }, { format });
      } catch (error) {
        return refusal(error, "VramError", ["INVALID_INPUT"]);
      }
      if (!isConsistent(header, image.length)) throw new Error("tensors overlap or lie outside");
      return `${header.tensors.size} tensors`;
    },
  };
}

function safetensors(json, dataBytes = 16) {
  const text = Buffer.from(json);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(dataBytes)]);
}

function gguf() {
  const u32 = (value) => Buffer.from(Uint32Array.of(value).buffer);
  const u64 = (value) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
  const text = (value) => Buffer.concat([u64(value.length), Buffer.from(value)]);
  const field = Buffer.concat([text("general.alignment"), u32(4), u32(32), text("names"), u32(9), u32(8), u64(2), text("a"), text("b")]);
  const tensor = Buffer.concat([text("w"), u32(2), u64(4), u64(2), u32(0), u64(0)]);
  const head = Buffer.concat([Buffer.from("GGUF"), u32(3), u64(1), u64(2), field, tensor]);
  return Buffer.concat([head, Buffer.alloc((32 - (head.length % 32)) % 32), Buffer.alloc(32)]);
}

async function indexTarget() {
  const { parseShardIndex } = await load("shard-index", "packages/vram-residency/src/model/shard-index.ts");
  return {
    seeds: [Buffer.from('{"metadata":{"total_size":8},"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}')],
    words: ['"weight_map"', '"../a"', "{", "}", '"a":', "null", '"\\u0061"', ","],
    async run(bytes) {
      try {
        const { fileNames, tensors } = await parseShardIndex(bytes);
        if (fileNames.some((name) => name.includes("/") || name === ".." || name === "." || name === "")) throw new Error("a name leads elsewhere");
        if ([...tensors.values()].some((name) => !fileNames.includes(name))) throw new Error("a tensor has no file");
        return `${fileNames.length} files`;
      } catch (error) {
        return refusal(error, "VramError", ["INVALID_INPUT"]);
      }
    },
  };
}

async function sealTarget() {
  const { createSeal, generate, verifySeal } = await import(join(root, "packages/vram-seal/dist/index.js"));
  const vectors = JSON.parse(readFileSync(join(root, "packages/vram-seal/test/vectors/seal-v1.json"), "utf8"));
  const key = await generate();
  const { statement } = vectors.valid[0];
  const seal = await createSeal({ ...statement, keyId: key.keyId, keyLocked: key.locked }, key);
  const good = JSON.stringify(seal);
  const { instanceId } = statement;
  return {
    seeds: [Buffer.from(good)],
    words: ['"mac"', '"statement"', '"', "=", "{", "}", ",", "null", '"__proto__":{}'],
    async run(bytes) {
      let presented;
      try {
        presented = JSON.parse(bytes.toString());
      } catch {
        return "no JSON";
      }
      let verified;
      try {
        verified = await verifySeal(presented, { key, instanceId });
      } catch (error) {
        return refusal(error, "SealError", ["SEAL_VERIFICATION_FAILED"]);
      }
      if (presented.statement !== seal.statement || presented.mac !== seal.mac) throw new Error("a seal that was never made is accepted");
      return `accepted ${verified.shardId}`;
    },
  };
}

async function attestationTarget() {
  const { verifyAttestation } = await import(join(root, "packages/vram-seal/dist/index.js"));
  const { envelope, publicKey, nonce, nowMs } = JSON.parse(readFileSync(join(root, "packages/vram-seal/test/vectors/attestation-v1.json"), "utf8"));
  return {
    seeds: [Buffer.from(envelope)],
    words: ['"payload"', '"signatures":[]', '"sig"', "=", "{", "}", ",", "null"],
    async run(bytes) {
      try {
        verifyAttestation(bytes, { publicKey, nonce: Buffer.from(nonce, "hex"), nowMs });
      } catch (error) {
        return refusal(error, "SealError", ["SEAL_VERIFICATION_FAILED"]);
      }
      if (!bytes.equals(Buffer.from(envelope))) throw new Error("an envelope that was never made is accepted");
      return "accepted";
    },
  };
}

/** One line of a good log is changed, or the lines are cut anew; the log must be found wrong, or be the good one. */
async function auditTarget() {
  const { openAuditLog, verifyAuditLog } = await import(join(root, "packages/vram-audit/dist/index.js"));
  const folder = mkdtempSync(join(tmpdir(), "vram-fuzz-"));
  const dir = join(folder, "log");
  const log = await openAuditLog({ dir });
  await log.close();
  const name = readdirSync(dir).find((file) => statSync(join(dir, file)).size > 0 && readFileSync(join(dir, file)).at(-1) === LINE_FEED && readFileSync(join(dir, file), "latin1").startsWith("{"));
  const good = readFileSync(join(dir, name));
  return {
    seeds: [good],
    words: ["\n", '"sequence"', '"prevhash"', "{", "}", '"vram.audit.closed"', "null", '"data":{}'],
    end: () => rmSync(folder, { recursive: true, force: true }),
    async run(bytes) {
      writeFileSync(join(dir, name), bytes);
      const { ok } = await verifyAuditLog({ dir });
      if (ok !== bytes.equals(good)) throw new Error(ok ? "an altered log is judged good" : "the good log is judged bad");
      return String(ok);
    },
  };
}

/** Bytes as JSON for every options object: only the caller's errors, and nothing runs. */
async function optionsTarget() {
  const files = ["open-options", "seal-options", "call-options"];
  const modules = await Promise.all(files.map((file) => load(file, `packages/vram-residency/src/options/${file}.ts`)));
  const options = Object.assign({}, ...modules);
  const parsers = Object.keys(options).filter((name) => name.startsWith("parse"));
  return {
    seeds: [
      '{"shardId":"a","modelRef":"b","expect":{"sha256":"00"},"format":"gguf"}',
      '{"device":0,"workerId":"w","policy":{"allowBackends":["cuda"]},"limits":{"maxModelBytes":1,"reserveBytes":0,"viewTimeoutMs":1},"driver":{"libraryPath":"/a"}}',
      '{"minAlignment":16,"setId":"a","nonce":[1,2]}',
    ].map((text) => Buffer.from(text)),
    words: ['"expect"', '"__proto__"', '"constructor"', "1e999", "-1", "null", "[]", "{}", '"\\u0000"', '"limits":', ","],
    async run(bytes) {
      let value;
      try {
        value = JSON.parse(bytes.toString());
      } catch {
        return "no JSON";
      }
      return parsers
        .map((name) => {
          try {
            return options[name](value) === undefined ? "nothing" : "read";
          } catch (error) {
            return refusal(error, "VramError", ["INVALID_INPUT", "INVALID_CONFIG"]);
          }
        })
        .join("; ");
    },
  };
}

const TENSOR = '{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}';
const JSON_WORDS = ['"dtype"', '"shape"', '"data_offsets"', '"__metadata__"', '"F32"', '"U8"', "[0,16]", "{", "}", ",", "-0", "1e3", '"\\u0077"', '"w":'];

export const targets = {
  safetensors: () => headerTarget("safetensors", [safetensors(TENSOR), safetensors('{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}}'), safetensors('{"__metadata__":{"a":"b"},"w":{"dtype":"U8","shape":[16],"data_offsets":[0,16]}} ')], JSON_WORDS),
  gguf: () => headerTarget("gguf", [gguf()], ["GGUF", "general.alignment", "\x03\0\0\0", "\x09\0\0\0"]),
  index: indexTarget,
  seal: sealTarget,
  attestation: attestationTarget,
  audit: auditTarget,
  options: optionsTarget,
};
