import { credentialPath } from "./credential-path.js";
import { readKeyFile } from "./from-key-file.js";
import type { SealKey } from "./seal-key.js";

/**
 * A root key from a systemd credential (`LoadCredential=`, `LoadCredentialEncrypted=`) of exactly 32 raw bytes: the file
 * `name` directly inside `$CREDENTIALS_DIRECTORY`. The rules are those of {@link fromKeyFile}, and mode 0440 of root's is
 * allowed, as which systemd shows the credentials of a unit that does not run as root.
 *
 * @throws SealError as {@link fromKeyFile}; `KEY_UNAVAILABLE` with reason `no-credentials-directory` outside such a unit
 */
export async function fromSystemdCredential(name: string): Promise<SealKey> {
  return readKeyFile(credentialPath(name), "credential");
}
