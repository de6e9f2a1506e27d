/**
 * DSSE pre-authentication encoding (DSSE v1, "PAE"): binds a body to its type.
 * `"DSSEv1" SP len(type) SP type SP len(body) SP body`, lengths in decimal bytes.
 */
export function preAuthEncoding(type: string, body: Uint8Array): Uint8Array {
  const typeBytes = Buffer.from(type, "utf8");
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${typeBytes.length} `),
    typeBytes,
    Buffer.from(` ${body.length} `),
    body,
  ]);
}
