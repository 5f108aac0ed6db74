// A thread that writes uploads to their files and hashes them on the way. Synchronous on purpose: its orders come one after the
// other, and whoever gives them has the next portion filled meanwhile (hash-threads.ts).
import { createHash, type Hash } from "node:crypto";
import { readSync, writeSync } from "node:fs";
import { parentPort } from "node:worker_threads";

/** `hash` numbers a running hash of this thread, begun by its first order. File descriptors are shared by all threads. */
export type HashOrder =
  | { kind: "write"; hash: number; fd: number; memory: SharedArrayBuffer; length: number; position: number }
  /** Hashes what is in a file already. */
  | { kind: "read"; hash: number; fd: number; length: number; position: number }
  /** Ends the hash. */
  | { kind: "digest"; hash: number }
  | { kind: "forget"; hash: number };

export type HashRequest = { number: number; order: HashOrder };

/** `hex` is the digest; `bytes` are those that were written or read, also before a failure. */
export type HashReply = { number: number; bytes: number; hex?: string; failure?: { message: string; code: string | undefined } };

const READ_BYTES = 1024 * 1024;

const hashes = new Map<number, Hash>();

function perform(order: HashOrder): { bytes: number; hex?: string } {
  if (order.kind === "forget") {
    hashes.delete(order.hash);
    return { bytes: 0 };
  }
  const hash = hashes.get(order.hash) ?? createHash("sha256");
  hashes.set(order.hash, hash);
  if (order.kind === "digest") {
    hashes.delete(order.hash);
    return { bytes: 0, hex: hash.digest("hex") };
  }
  if (order.kind === "read") return { bytes: readInto(hash, order) };
  const portion = new Uint8Array(order.memory, 0, order.length);
  writeAll(order.fd, portion, order.position);
  hash.update(portion);
  return { bytes: order.length };
}

function writeAll(fd: number, portion: Uint8Array, position: number): void {
  for (let done = 0; done < portion.length;) done += writeSync(fd, portion, done, portion.length - done, position + done);
}

function readInto(hash: Hash, { fd, length, position }: { fd: number; length: number; position: number }): number {
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, length));
  let done = 0;
  while (done < length) {
    const count = readSync(fd, buffer, 0, Math.min(buffer.length, length - done), position + done);
    if (count === 0) break;
    hash.update(buffer.subarray(0, count));
    done += count;
  }
  return done;
}

function attempt({ number, order }: HashRequest): HashReply {
  try {
    return { number, ...perform(order) };
  } catch (error) {
    const { message, code } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error), code: undefined };
    return { number, bytes: 0, failure: { message, code } };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.on("message", (request: HashRequest) => parentPort?.postMessage(attempt(request)));
