import { FlotillaError } from "@flotilla/core";
import { STDCOPY, StdcopyDecoder } from "@flotilla/engine-api";
import type { Hijacked } from "../engine/client.ts";

export type Interaction = {
  /** Whether the program in the container has a terminal: then ours is raw, and bytes come without frames. */
  tty: boolean;
  /** Whether our standard input is sent. */
  interactive: boolean;
  /** Tells the engine the terminal's size, at the beginning and at each change. */
  resize?: ((size: { h: number; w: number }) => Promise<unknown>) | undefined;
};

/** Joins our standard streams with a connection of attach or exec, to its end. */
export async function interact({ socket, head, isMultiplexed }: Hijacked, { tty, interactive, resize }: Interaction): Promise<void> {
  const stdin = process.stdin;
  const isRaw = tty && interactive && stdin.isTTY;
  const onResize = (): void => {
    const { rows, columns } = process.stdout;
    // The program may have ended meanwhile: its size is nobody's concern then.
    if (rows > 0 && columns > 0) void resize?.({ h: rows, w: columns }).catch(() => undefined);
  };
  if (isRaw) stdin.setRawMode(true);
  if (tty && process.stdout.isTTY) {
    process.stdout.on("resize", onResize);
    onResize();
  }
  try {
    if (interactive) stdin.pipe(socket);
    else socket.end();
    await receive(socket, { head, decoder: tty || !isMultiplexed ? undefined : new StdcopyDecoder() });
  } finally {
    stdin.unpipe(socket);
    if (isRaw) stdin.setRawMode(false);
    stdin.pause();
    process.stdout.off("resize", onResize);
    socket.destroy();
  }
}

function receive(socket: Hijacked["socket"], { head, decoder }: { head: Buffer; decoder: StdcopyDecoder | undefined }): Promise<void> {
  const show = (bytes: Buffer): void => {
    if (decoder === undefined) process.stdout.write(bytes);
    else
      for (const { stream, payload } of decoder.push(bytes)) (stream === STDCOPY.stderr ? process.stderr : process.stdout).write(payload);
  };
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void =>
      reject(new FlotillaError("unavailable", `the connection to the container broke: ${String(error)}`, { cause: error }));
    socket.on("data", (bytes: Buffer) => {
      try {
        show(bytes);
      } catch (error) {
        fail(error);
      }
    });
    socket.once("end", resolve);
    socket.once("close", () => resolve());
    socket.once("error", fail);
    if (head.length > 0) show(head);
  });
}
