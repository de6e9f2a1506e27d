import { credentialPath } from "./credential-path.js";
import { type KeyFileContext, TOKEN_MAX_LENGTH, TOKEN_MIN_LENGTH } from "./key-file-rules.js";
import { keyFileRefused } from "./key-path.js";
import { readPrivateFile } from "./private-file.js";

const TOKEN = new RegExp(`^[\\x21-\\x7e]{${TOKEN_MIN_LENGTH},${TOKEN_MAX_LENGTH}}$`);
const LINE_FEED = /\n$/;

/**
 * The token that a service asks of its callers, from a file by the rules of `fromKeyFile`: 32 to 512 visible ASCII characters, and at
 * most a line feed after them. A string cannot be wiped, so it stays in this process's memory.
 *
 * @throws SealError `INVALID_INPUT` for a refused file and `KEY_UNAVAILABLE` for one that is missing or unreadable,
 * each with `details.reason` and the bare `details.file`
 */
export function readTokenFile(path: string): Promise<string> {
  return readToken(path, "anywhere");
}

/** {@link readTokenFile} of a systemd credential, by the rules of `fromSystemdCredential`. */
export async function readTokenCredential(name: string): Promise<string> {
  return readToken(credentialPath(name), "credential");
}

function readToken(path: string, place: KeyFileContext["place"]): Promise<string> {
  const rules = { place, fits: (size: number) => size <= TOKEN_MAX_LENGTH + 1, misfit: "not-a-token" } as const;
  return readPrivateFile(path, rules, (bytes, name) => {
    const token = bytes.toString("latin1").replace(LINE_FEED, "");
    if (!TOKEN.test(token)) throw keyFileRefused(name, "not-a-token");
    return token;
  });
}
