import { digestOfHex, type Digest } from "@flotilla/image";
import { createHash } from "node:crypto";

/** sha256 of some bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return digestOfHex(createHash("sha256").update(bytes).digest("hex"));
}
