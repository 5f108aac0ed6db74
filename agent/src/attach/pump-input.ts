import type { Duplex } from "node:stream";
import { DetachScanner } from "./detach-keys.ts";

export type InputTarget = {
  /** Writes in order, waiting for room; false when nothing takes input any more. */
  writeInput(bytes: Buffer): Promise<boolean>;
  endInput(): void;
};

export type InputEnd = "ended" | "refused" | "detached";

/**
 * Hands a client's input to a program until the client ends it, the program takes no more, or the detach keys come
 * (looked for when given). What comes after a refusal is dropped, so that the client is not stopped by it.
 */
export async function pumpInput(client: Duplex, target: InputTarget, detachKeys: Uint8Array | undefined): Promise<InputEnd> {
  const scanner = detachKeys === undefined ? undefined : new DetachScanner(detachKeys);
  let isRefused = false;
  for await (const chunk of client.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const { output, isDetached } = scanner?.scan(chunk) ?? { output: chunk, isDetached: false };
    if (output.length > 0 && !isRefused) isRefused = !(await target.writeInput(output));
    if (isDetached) return "detached";
  }
  return isRefused ? "refused" : "ended";
}
