import type { Duplex, Readable, Writable } from "node:stream";
import { encodeStdcopy, type StdcopyStream } from "@flotilla/engine-api";

/**
 * Sends a program's output to a client, framed, holding the program back while the client is slow. When the client is
 * gone the output is read and dropped: the program goes on.
 */
export function forwardFramed(source: Readable, client: Duplex, stream: StdcopyStream): (chunk: Buffer) => void {
  const resume = (): void => void source.resume();
  client.on("drain", resume);
  client.once("close", resume);
  return (chunk) => {
    if (client.writable && !client.write(encodeStdcopy(stream, chunk))) source.pause();
  };
}

/** The same for a terminal's output, which has no frames. */
export function forwardRaw(source: { pause(): void; resume(): void }, client: Duplex): (chunk: Buffer) => void {
  const resume = (): void => source.resume();
  client.on("drain", resume);
  client.once("close", resume);
  return (chunk) => {
    if (client.writable && !client.write(chunk)) source.pause();
  };
}

/** Standard input of a program as a target of pumpInput. */
export function inputTarget(stdin: Writable): { writeInput(bytes: Buffer): Promise<boolean>; endInput(): void } {
  return {
    writeInput: (bytes) =>
      new Promise((resolve) => {
        if (stdin.destroyed) resolve(false);
        else stdin.write(bytes, (error) => resolve(error === null || error === undefined));
      }),
    endInput: () => void stdin.end(),
  };
}
