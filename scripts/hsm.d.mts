export interface KeyPair {
  readonly curve: "ed25519" | "ed448" | "P-256";
  readonly publicLabel: string;
  readonly privateLabel: string;
}

export interface Token {
  /** Path of SoftHSM's PKCS #11 library. */
  readonly library: string;
  addKeys(...keys: readonly { readonly label: string; readonly value?: Buffer }[]): void;
  addKeyPairs(...pairs: readonly KeyPair[]): void;
  pull(): void;
}

export const PIN: string;
export function isHsmSetUp(): boolean;
/** The package pkcs11js. */
export function pkcs11(): unknown;
export function makeToken(folder: string, label: string): Token;
