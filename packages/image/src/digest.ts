import { z } from "zod";

/** `sha256:` and 64 lower-case hex digits: the only algorithm that Flotilla writes or accepts for content. */
export type Digest = `sha256:${string}`;

const SHA256 = /^sha256:[0-9a-f]{64}$/;
const HEX64 = /^[0-9a-f]{64}$/;

export const digestSchema = z.custom<Digest>(
  (value) => typeof value === "string" && SHA256.test(value),
  "must be sha256: and 64 hex digits",
);

export function isDigest(value: string): value is Digest {
  return SHA256.test(value);
}

/** @param hex 64 lower-case hex digits, as a hash function gives them. */
export function digestOfHex(hex: string): Digest {
  return digestSchema.parse(`sha256:${hex}`);
}

/** The 64 hex digits. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** Twelve hex digits, as Docker shows an id. */
export function shortId(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}

/** Whether a string is 64 hex digits, which Docker refuses as a repository name because ids look like that. */
export function isHex64(value: string): boolean {
  return HEX64.test(value);
}
