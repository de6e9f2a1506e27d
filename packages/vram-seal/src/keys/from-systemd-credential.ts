import { isAbsolute, join } from "node:path";
import { invalidInput, SealError } from "../seal-error.js";
import { readKeyFile } from "./from-key-file.js";
import type { SealKey } from "./seal-key.js";

const CREDENTIAL_NAME = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,255}$/;

/**
 * A root key from a systemd credential (`LoadCredential=`, `LoadCredentialEncrypted=`) of exactly 32 raw bytes: the file
 * `name` directly inside `$CREDENTIALS_DIRECTORY`. The rules are those of {@link fromKeyFile}, and mode 0440 of root's is
 * allowed, as which systemd shows the credentials of a unit that does not run as root.
 *
 * @throws SealError as {@link fromKeyFile}; `KEY_UNAVAILABLE` with reason `no-credentials-directory` outside such a unit
 */
export async function fromSystemdCredential(name: string): Promise<SealKey> {
  if (typeof name !== "string" || !CREDENTIAL_NAME.test(name)) {
    throw invalidInput("name", 'have 1 to 255 characters of A-Z, a-z, 0-9, ".", "_" and "-"');
  }
  const directory = process.env["CREDENTIALS_DIRECTORY"];
  if (directory === undefined || !isAbsolute(directory)) {
    throw new SealError("KEY_UNAVAILABLE", "there is no systemd credentials directory: set LoadCredential= in the unit", {
      details: { reason: "no-credentials-directory" },
    });
  }
  return readKeyFile(join(directory, name), "credential");
}
