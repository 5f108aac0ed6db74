// What the agent and its resolver say to each other: JSON lines on a unix socket that only root may open.
import { createInterface } from "node:readline";
import type { Socket } from "node:net";
import { z } from "zod";

/** Says which code it runs as soon as somebody connects; then answers each `load`. */
export const FromResolver = z.union([
  z.object({ code: z.string(), pid: z.int() }),
  z.object({
    /** Version of the state that it answers from now. */
    loaded: z.number(),
    /** Containers whose sockets could not be opened, and why. */
    problems: z.record(z.string(), z.string()),
  }),
]);
export type FromResolver = z.output<typeof FromResolver>;

/** `load`: read the state again, it is at least of this version. `end`: close everything and exit. */
export const ToResolver = z.union([z.object({ load: z.number() }), z.object({ end: z.literal(true) })]);
export type ToResolver = z.output<typeof ToResolver>;

export const sendLine = (socket: Socket, message: FromResolver | ToResolver): void => void socket.write(`${JSON.stringify(message)}\n`);

/** Calls `take` with each line that the schema knows; other lines are of another version and say nothing to us. */
export function readLines<T extends z.ZodType>(socket: Socket, schema: T, take: (message: z.output<T>) => void): void {
  const lines = createInterface({ input: socket });
  // It hands on what goes wrong with the socket, whose owner hears of it by itself.
  lines.on("error", () => undefined);
  lines.on("line", (line) => {
    const parsed = schema.safeParse(tryParse(line));
    if (parsed.success) take(parsed.data);
  });
}

function tryParse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
