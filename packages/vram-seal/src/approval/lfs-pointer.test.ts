import { describe, expect, it } from "vitest";
import { readLfsPointer } from "./lfs-pointer.js";

const oid = "4665a5ea423c2713d436b5ee50593a9640e0018c1550b5a0002f74190d6caea8";
const good = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 13800000000\n`;

describe("a Git LFS pointer", () => {
  it.each([["text", good], ["bytes", Buffer.from(good)]])("names the digest and the size, given as %s", (_, pointer) => {
    expect(readLfsPointer(pointer)).toEqual({ sha256: oid, byteLength: 13_800_000_000 });
  });

  it.each([
    ["empty", ""],
    ["of another version", good.replace("v1", "v2")],
    ["with another hash", good.replace("sha256", "sha512")],
    ["with an upper-case digest", good.replace(oid, oid.toUpperCase())],
    ["with a digest that is cut", good.replace(oid, oid.slice(1))],
    ["without its size", good.replace(/size.*\n/, "")],
    ["with a size that is no whole number", good.replace("13800000000", "1.5")],
    ["with a negative size", good.replace("13800000000", "-1")],
    ["with a size beyond 2^53", good.replace("13800000000", "9999999999999999")],
    ["with a padded size", good.replace("13800000000", "013")],
    ["with an extension", good.replace("oid", `ext-0-zip sha256:${oid}\noid`)],
    ["with a line more", `${good}x y\n`],
    ["without its last newline", good.trimEnd()],
    ["with carriage returns", good.replaceAll("\n", "\r\n")],
    ["longer than any", good + " ".repeat(2000)],
    ["that is a number", 5],
    ["that is null", null],
  ])("%s is refused, and not shown", (_, pointer) => {
    const message = "lfsPointer must be a Git LFS pointer of version 1, with a SHA-256 oid and a size";
    expect(() => readLfsPointer(pointer as never)).toThrow(expect.objectContaining({ code: "INVALID_INPUT", message }));
  });
});
