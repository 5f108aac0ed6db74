import { Readable } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import { Decrypter, Encrypter } from "age-encryption";

const AGE_HEADER = "age-encryption.org/v1\n";
const MIN_PASSPHRASE = 12;
/** log2 of scrypt's cost: about a second, and 256 MB, for each guess. */
const WORK_FACTOR = 18;

/** A passphrase as a file holds it: its first line. @throws invalid when it is too short to protect anything. */
export function parsePassphrase(text: string): string {
  const [passphrase = ""] = text.split("\n");
  if (passphrase.length < MIN_PASSPHRASE)
    throw new FlotillaError("invalid", `the passphrase must have at least ${MIN_PASSPHRASE} characters, in the file's first line`);
  return passphrase;
}

export function isSealed(head: Buffer): boolean {
  return head.subarray(0, AGE_HEADER.length).toString("latin1") === AGE_HEADER;
}

/** Encrypts bytes on their way (age v1, scrypt): `age --decrypt` of any implementation opens them. */
export async function seal(plain: Readable, passphrase: string, workFactor = WORK_FACTOR): Promise<Readable> {
  const encrypter = new Encrypter();
  encrypter.setScryptWorkFactor(workFactor);
  encrypter.setPassphrase(passphrase);
  return fromWeb(await encrypter.encrypt(toWeb(plain)));
}

/** @throws forbidden for another passphrase; the stream breaks with an error where the bytes were changed or cut off. */
export async function unseal(sealed: Readable, passphrase: string): Promise<Readable> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    return fromWeb(await decrypter.decrypt(toWeb(sealed)));
  } catch (error) {
    throw new FlotillaError("forbidden", "the passphrase does not open this backup", { cause: error });
  }
}

function toWeb(stream: Readable): ReadableStream<Uint8Array> {
  return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
}

function fromWeb(stream: ReadableStream<Uint8Array>): Readable {
  return Readable.from(stream);
}
