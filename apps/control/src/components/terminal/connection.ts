import type { Terminal } from "@xterm/xterm";
import { parseExit, resizeMessage, terminalProtocols } from "@/lib/terminal-session.ts";

export type ConnectionEvents = {
  onOpen: () => void;
  /** The program ended; null when its code is not known. */
  onExit: (code: number | null) => void;
  /** The socket closed while the program runs on. */
  onLost: () => void;
};

export type Connection = { close: () => void };

/**
 * Joins a terminal and the control plane by one socket: bytes both ways, sizes towards the program. The server replays what was on
 * the screen first, so the screen is emptied when the socket opens.
 */
export function connectTerminal(terminal: Terminal, ticket: string, events: ConnectionEvents): Connection {
  const scheme = window.location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${window.location.host}/api/terminal`, terminalProtocols(ticket));
  socket.binaryType = "arraybuffer";
  const encoder = new TextEncoder();
  let isOver = false;
  const send = (data: string | Uint8Array<ArrayBuffer>): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(data);
  };
  const listeners = [
    terminal.onData((text) => send(encoder.encode(text))),
    terminal.onBinary((text) => send(Uint8Array.from(text, (character) => character.charCodeAt(0)))),
    terminal.onResize(({ cols, rows }) => send(resizeMessage(cols, rows))),
  ];
  const finish = (): boolean => {
    if (isOver) return false;
    isOver = true;
    for (const listener of listeners) listener.dispose();
    return true;
  };
  socket.addEventListener("open", () => {
    terminal.reset();
    send(resizeMessage(terminal.cols, terminal.rows));
    events.onOpen();
  });
  socket.addEventListener("message", (event: MessageEvent<unknown>) => {
    if (event.data instanceof ArrayBuffer) {
      terminal.write(new Uint8Array(event.data));
      return;
    }
    const code = typeof event.data === "string" ? parseExit(event.data) : undefined;
    if (code !== undefined && finish()) {
      socket.close();
      events.onExit(code);
    }
  });
  socket.addEventListener("close", () => {
    if (finish()) events.onLost();
  });
  return {
    close: () => {
      finish();
      socket.close();
    },
  };
}
