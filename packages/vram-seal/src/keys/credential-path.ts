import { isAbsolute, join } from "node:path";
import { invalidInput, SealError } from "../seal-error.js";

const CREDENTIAL_NAME = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,255}$/;

/** Where systemd shows a unit's credential. @throws SealError `INVALID_INPUT`; `KEY_UNAVAILABLE` outside a unit that has any */
export function credentialPath(name: string): string {
  if (typeof name !== "string" || !CREDENTIAL_NAME.test(name)) {
    throw invalidInput("name", 'have 1 to 255 characters of A-Z, a-z, 0-9, ".", "_" and "-"');
  }
  const directory = process.env["CREDENTIALS_DIRECTORY"];
  if (directory === undefined || !isAbsolute(directory)) {
    throw new SealError("KEY_UNAVAILABLE", "there is no systemd credentials directory: set LoadCredential= in the unit", {
      details: { reason: "no-credentials-directory" },
    });
  }
  return join(directory, name);
}
