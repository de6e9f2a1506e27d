import { describe, expect, it } from "vitest";
import { type FileFacts, keyDirectoryRefusal, type KeyFileContext, keyFileRefusal } from "./key-file-rules.js";

const US = 1000;
const STRANGER = 1001;
const ROOT = 0;
const anywhere: KeyFileContext = { uid: US, place: "anywhere" };
const credential: KeyFileContext = { uid: US, place: "credential" };

const file = (changes: Partial<FileFacts> = {}): FileFacts => ({
  mode: 0o100600,
  uid: US,
  nlink: 1,
  isFile: () => true,
  isDirectory: () => false,
  ...changes,
});
const directory = (changes: Partial<FileFacts> = {}): FileFacts => ({
  ...file({ mode: 0o40700, nlink: 2, isFile: () => false, isDirectory: () => true }),
  ...changes,
});

describe("CI-006 rules for a key file", () => {
  it.each([
    ["our file, 0600", file()],
    ["our file, 0400", file({ mode: 0o100400 })],
    ["root's file, 0600", file({ uid: ROOT })],
  ])("accept %s", (_, facts) => {
    expect(keyFileRefusal(facts, anywhere)).toBeUndefined();
    expect(keyFileRefusal(facts, credential)).toBeUndefined();
  });

  it.each([
    ["not-a-regular-file", file({ isFile: () => false })],
    ["hard-linked", file({ nlink: 2 })],
    ["hard-linked", file({ nlink: 0 })],
    ["foreign-owner", file({ uid: STRANGER })],
    ["permissive-mode", file({ mode: 0o100640 })],
    ["permissive-mode", file({ mode: 0o100440 })],
    ["permissive-mode", file({ mode: 0o100604 })],
    ["permissive-mode", file({ mode: 0o100610 })],
    ["permissive-mode", file({ mode: 0o100602 })],
  ])("refuse as %s", (reason, facts) => {
    expect(keyFileRefusal(facts, anywhere)).toBe(reason);
    expect(keyFileRefusal(facts, credential)).toBe(reason);
  });

  it("accept root's 0440 as a systemd credential, and only there", () => {
    const shown = file({ uid: ROOT, mode: 0o100440 });
    expect(keyFileRefusal(shown, credential)).toBeUndefined();
    expect(keyFileRefusal(shown, anywhere)).toBe("permissive-mode");
  });

  it.each([0o100640, 0o100460, 0o100444, 0o100441, 0o102440, 0o104440])("refuse root's mode %o as a systemd credential", (mode) => {
    expect(keyFileRefusal(file({ uid: ROOT, mode }), credential)).toBe("permissive-mode");
  });
});

describe("CI-006 rules for its directory", () => {
  it.each([
    ["ours, 0700", directory()],
    ["ours, 0755", directory({ mode: 0o40755 })],
    ["root's, 0755", directory({ uid: ROOT, mode: 0o40755 })],
  ])("accept %s", (_, facts) => {
    expect(keyDirectoryRefusal(facts, anywhere)).toBeUndefined();
  });

  it.each([
    ["parent-not-a-directory", file()],
    ["parent-foreign-owner", directory({ uid: STRANGER })],
    ["parent-writable", directory({ mode: 0o40770 })],
    ["parent-writable", directory({ mode: 0o40702 })],
    ["parent-writable", directory({ uid: ROOT, mode: 0o41777 })],
  ])("refuse as %s", (reason, facts) => {
    expect(keyDirectoryRefusal(facts, anywhere)).toBe(reason);
  });
});
