import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { formatSigningKey, generateSigningKey, hostName, parseSigningKey, publicKeyText, type SigningKey } from "@flotilla/protocol";
import { z } from "zod";

/** What this host knows of its control plane. */
const identityFile = z.object({
  version: z.literal(1),
  /** Such as `https://flotilla.example.org`; the link is at `/agent/v1` below it. */
  controlUrl: z.url(),
  /** The control plane's pinned Ed25519 key. */
  serverKey: publicKeyText,
  hostId: z.string().min(1),
  name: hostName,
  /** Whether the channel must be bound to its TLS session: set at the join, and never less afterwards. */
  binding: z.enum(["tls-exporter", "none"]),
});
export type LinkIdentity = z.output<typeof identityFile>;

export function identityPath(dataDir: string): string {
  return join(dataDir, "link", "identity.json");
}

/** The identity of a host that has joined; undefined before. @throws invalid when the file is damaged. */
export function readIdentity(dataDir: string): LinkIdentity | undefined {
  const path = identityPath(dataDir);
  const text = readIfPresent(path);
  if (text === undefined) return undefined;
  const parsed = identityFile.safeParse(parseJson(text));
  if (!parsed.success) throw new FlotillaError("invalid", `read ${path}: not an identity of a host; join the control plane again`);
  return parsed.data;
}

/** Where this host's control plane is; undefined when it has none, or its identity cannot be read, which the link reports. */
export function findControlUrl(dataDir: string): string | undefined {
  try {
    return readIdentity(dataDir)?.controlUrl;
  } catch {
    return undefined;
  }
}

/** Replaces the identity in one step: a crash leaves the old one or the new one. */
export function writeIdentity(dataDir: string, identity: LinkIdentity): void {
  replaceFile(identityPath(dataDir), `${JSON.stringify(identity, null, 2)}\n`);
}

/**
 * This host's Ed25519 key, made when there is none. It is on disk before anything is told of it, so that a join that was
 * cut off can be repeated by the same host; the private half never leaves this file.
 */
export function ensureHostKey(dataDir: string): SigningKey {
  const path = join(dataDir, "link", "key.pem");
  const text = readIfPresent(path);
  if (text !== undefined) return parseSigningKey(text);
  const key = generateSigningKey();
  replaceFile(path, formatSigningKey(key));
  return key;
}

function replaceFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const fd = openSync(temporary, "wx", 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
