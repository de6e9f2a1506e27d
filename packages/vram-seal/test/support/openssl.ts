import { join } from "node:path";
import { withDirectory, writeWithMode } from "./fixtures.js";
import { runTool } from "./tool.js";

/** What openssl says of an attestation's signature, which it is given as docs/spec/attestation-v1.md does. */
export function opensslVerdict(envelope: string, publicKey: string): Promise<string> {
  const { payload, payloadType, signatures } = JSON.parse(envelope) as { payload: string; payloadType: string; signatures: [{ sig: string }] };
  const body = Buffer.from(payload, "base64");
  return withDirectory(async (directory) => {
    const file = async (name: string, ...parts: (string | Uint8Array)[]): Promise<string> => {
      await writeWithMode(join(directory, name), Buffer.concat(parts.map((part) => Buffer.from(part))), 0o600);
      return join(directory, name);
    };
    const key = await file("key.pem", publicKey);
    const sig = await file("sig.bin", Buffer.from(signatures[0].sig, "base64"));
    const pae = await file("pae.bin", `DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `, body);
    return runTool("openssl", ["pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", pae, "-sigfile", sig]).toString();
  });
}
