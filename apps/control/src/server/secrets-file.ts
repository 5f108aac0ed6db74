import { hkdfSync, randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { formatSigningKey, generateSigningKey, parseSigningKey, type SigningKey } from "@flotilla/protocol";
import { z } from "zod";

/** What a stolen database must not hold. One file of mode 0600; several control planes on one database share a copy of it. */
const secretsFile = z.object({
  version: z.literal(1),
  /** Signs the cookies of sessions. */
  authSecret: z.string().min(43),
  /** Password of the embedded Postgres. */
  postgresPassword: z.string().min(43),
  /** PKCS #8 PEM: the Ed25519 key by which agents know this control plane. */
  identityKey: z.string(),
});

export type ControlSecrets = {
  authSecret: string;
  postgresPassword: string;
  identity: SigningKey;
  registryTokenKey: Uint8Array;
  /** Encrypts what the database must keep and give back, such as passwords of other registries. */ sealKey: Uint8Array;
};

/** Reads the secrets; at the first start they are made. There is no default for any of them. */
export function ensureSecrets(dataDir: string): ControlSecrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  const path = join(dataDir, "secrets.json");
  const text = readIfPresent(path) ?? createOnce(path);
  const parsed = secretsFile.safeParse(JSON.parse(text));
  if (!parsed.success) throw new FlotillaError("invalid", `read ${path}: not a secrets file of this version`);
  const { authSecret, postgresPassword, identityKey } = parsed.data;
  return {
    authSecret,
    postgresPassword,
    identity: parseSigningKey(identityKey),
    registryTokenKey: deriveKey(authSecret, "flotilla registry tokens v1"),
    sealKey: deriveKey(authSecret, "flotilla sealed texts v1"),
  };
}

/** A key of its own for each purpose (HKDF, RFC 5869), so that the file has one secret to keep. */
function deriveKey(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", purpose, 32));
}

/** Writes whole or not at all, and never over a file that another start made meanwhile. */
function createOnce(path: string): string {
  const secret = (): string => randomBytes(32).toString("base64url");
  const content: z.input<typeof secretsFile> = {
    version: 1,
    authSecret: secret(),
    postgresPassword: secret(),
    identityKey: formatSigningKey(generateSigningKey()),
  };
  const temporary = `${path}.${process.pid}`;
  rmSync(temporary, { force: true });
  const fd = openSync(temporary, "wx", 0o600);
  try {
    writeSync(fd, `${JSON.stringify(content, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  rmSync(temporary);
  return readFileSync(path, "utf8");
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
