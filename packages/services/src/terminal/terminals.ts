import type { Actor } from "../access/actor.ts";

export type TerminalRequest = {
  host: string;
  id: string;
  command?: string[] | undefined;
  user?: string | undefined;
  rows: number;
  cols: number;
};

/** Terminal sessions; kept by the control plane that opened them. A ticket opens the session's WebSocket once, within a minute. */
export type Terminals = {
  open(actor: Actor, request: TerminalRequest): Promise<{ sessionId: string; ticket: string }>;
  /** A new ticket for a session of the same person. @throws not_found. */
  reattach(actor: Actor, sessionId: string): Promise<{ ticket: string }>;
};
