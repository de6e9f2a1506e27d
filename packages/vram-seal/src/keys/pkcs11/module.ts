// What is used of the package pkcs11js.

/** A slot, a session or an object; opaque. */
export type Pkcs11Handle = Buffer;

/** An attribute of an object in a token. */
export interface Pkcs11Attribute {
  readonly type: number;
  readonly value?: Buffer | string | number | boolean;
}

/** What is used of a PKCS #11 library, as `pkcs11js` spells it. */
export interface Pkcs11Library {
  load(path: string): void;
  close(): void;
  C_Initialize(options: { readonly flags: number }): void;
  C_Finalize(): void;
  C_GetSlotList(tokenPresent: boolean): Pkcs11Handle[];
  C_GetTokenInfo(slot: Pkcs11Handle): { readonly label: string };
  C_OpenSession(slot: Pkcs11Handle, flags: number): Pkcs11Handle;
  C_CloseSession(session: Pkcs11Handle): void;
  C_Login(session: Pkcs11Handle, userType: number, pin: string): void;
  C_FindObjectsInit(session: Pkcs11Handle, template: Pkcs11Attribute[]): void;
  C_FindObjects(session: Pkcs11Handle, most: number): Pkcs11Handle[];
  C_FindObjectsFinal(session: Pkcs11Handle): void;
  C_GetAttributeValue(session: Pkcs11Handle, object: Pkcs11Handle, template: Pkcs11Attribute[]): { readonly value: unknown }[];
  C_SignInit(session: Pkcs11Handle, mechanism: { readonly mechanism: number }, key: Pkcs11Handle): void;
  C_SignAsync(session: Pkcs11Handle, data: Buffer, signature: Buffer): Promise<Buffer>;
}

/** The package pkcs11js, as it is imported. */
export interface Pkcs11Module {
  readonly PKCS11: new () => Pkcs11Library;
}

/** Numbers of the standard (PKCS #11 3.0, pkcs11t.h). */
/** The library must keep its own state safe from threads: signing runs on one, the rest on another. */
export const CKF_OS_LOCKING_OK = 0x2;
export const CKF_SERIAL_SESSION = 0x4;
export const CKU_USER = 1;
export const CKO_PUBLIC_KEY = 0x2;
export const CKO_PRIVATE_KEY = 0x3;
export const CKO_SECRET_KEY = 0x4;
export const CKA_CLASS = 0x0;
export const CKA_LABEL = 0x3;
export const CKA_KEY_TYPE = 0x100;
export const CKA_SENSITIVE = 0x103;
export const CKA_EXTRACTABLE = 0x162;
export const CKA_EC_PARAMS = 0x180;
export const CKA_EC_POINT = 0x181;
export const CKK_EC_EDWARDS = 0x40;
export const CKM_SHA256_HMAC = 0x251;
export const CKM_EDDSA = 0x1057;
export const CKR_USER_ALREADY_LOGGED_IN = 0x100;
export const CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191;
