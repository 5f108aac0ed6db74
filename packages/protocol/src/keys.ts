import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";

/** An Ed25519 key pair (RFC 8032). The private half stays where it was made. */
export type SigningKey = { publicKey: string; privateKey: KeyObject };

/** base64url of the 32 bytes of an Ed25519 public key. */
export const publicKeyText = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "must be a base64url Ed25519 public key");
/** base64url of a 64-byte Ed25519 signature. */
export const signatureText = z.string().regex(/^[A-Za-z0-9_-]{86}$/, "must be a base64url Ed25519 signature");

export function generateSigningKey(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return { publicKey: publicText(publicKey), privateKey };
}

/** PKCS #8 PEM of the private half, for a file of mode 0600. */
export function formatSigningKey(key: SigningKey): string {
  return key.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** @throws invalid when the text is no Ed25519 private key. */
export function parseSigningKey(pem: string): SigningKey {
  const privateKey = attempt(() => createPrivateKey(pem), "read the private key");
  if (privateKey.asymmetricKeyType !== "ed25519") throw new FlotillaError("invalid", "the private key is not an Ed25519 key");
  return { publicKey: publicText(createPublicKey(privateKey)), privateKey };
}

/** base64url signature of `message`. */
export function signMessage(key: SigningKey, message: Uint8Array): string {
  return sign(null, message, key.privateKey).toString("base64url");
}

/** Whether `signature` was made over `message` by the owner of `publicKey`. Malformed input is simply not a signature. */
export function isSignedBy(publicKey: string, message: Uint8Array, signature: string): boolean {
  if (!publicKeyText.safeParse(publicKey).success || !signatureText.safeParse(signature).success) return false;
  try {
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
    return verify(null, message, key, Buffer.from(signature, "base64url"));
  } catch {
    return false;
  }
}

function publicText(key: KeyObject): string {
  const { x } = key.export({ format: "jwk" });
  if (x === undefined) throw new FlotillaError("internal", "an Ed25519 public key without coordinates");
  return x;
}

function attempt<T>(work: () => T, what: string): T {
  try {
    return work();
  } catch (error) {
    throw new FlotillaError("invalid", `${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
