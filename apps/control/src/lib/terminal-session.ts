// zod/mini: the same schemas, of which a page loads a third.
import * as z from "zod/mini";

// What the page and the control plane say to each other over a terminal's socket (docs/design/control-api.md).

export const TERMINAL_PROTOCOL = "flotilla.terminal.v1";

/** The sub-protocols that carry the one-time ticket: a WebSocket of a browser can send no header, and an address would be logged. */
export function terminalProtocols(ticket: string): [string, string] {
  return [TERMINAL_PROTOCOL, `ticket.${ticket}`];
}

export function resizeMessage(cols: number, rows: number): string {
  return JSON.stringify({ resize: { cols, rows } });
}

const exitSchema = z.object({ exit: z.object({ code: z.nullable(z.number()) }) });

/** The exit code that a text frame tells; undefined when it tells none. */
export function parseExit(text: string): number | null | undefined {
  try {
    const parsed = exitSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.exit.code : undefined;
  } catch {
    return undefined;
  }
}

/** Where a tab remembers its session with a container: in the tab alone, so that a copy of the tab opens its own. */
export function sessionKey(host: string, id: string): string {
  return `flotilla.terminal/${host}/${id}`;
}

export const SHELLS = ["sh", "bash", "ash", "zsh"] as const;
