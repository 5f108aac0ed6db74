"use client";

import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { useTheme } from "@/components/theme.tsx";
import { connectTerminal, type Connection } from "@/components/terminal/connection.ts";
import { createScreen, type Screen } from "@/components/terminal/screen.ts";
import { sessionKey } from "@/lib/terminal-session.ts";
import { errorMessage, useTRPCClient } from "@/trpc/client.ts";

export type TerminalState =
  | { kind: "idle"; error: string | null }
  | { kind: "connecting" }
  | { kind: "open" }
  | { kind: "ended"; code: number | null }
  | { kind: "lost" };

export type TerminalHandle = {
  element: RefObject<HTMLDivElement | null>;
  state: TerminalState;
  open: (input: { command: string[]; user: string | undefined }) => void;
  reattach: () => void;
  forget: () => void;
};

const REATTACH_DELAYS_MS = [500, 1_000, 2_000, 4_000, 8_000];

/**
 * A terminal in a container. Its session lives on the control plane, and the tab remembers only the session's id: a reload, a change
 * of tab or a lost connection attaches again to the same shell, with what was on its screen.
 */
export function useTerminal({ host, id }: { host: string; id: string }): TerminalHandle {
  const client = useTRPCClient();
  const { theme } = useTheme();
  const element = useRef<HTMLDivElement>(null);
  const screen = useRef<Screen | null>(null);
  const connection = useRef<Connection | null>(null);
  const retry = useRef<{ count: number; timer: ReturnType<typeof setTimeout> | undefined }>({ count: 0, timer: undefined });
  const [state, setState] = useState<TerminalState>({ kind: "idle", error: null });
  const key = sessionKey(host, id);

  const attach = useCallback(
    (ticket: string, onLost: () => void) => {
      const current = screen.current;
      if (current === null) return;
      connection.current?.close();
      connection.current = connectTerminal(current.terminal, ticket, {
        onOpen: () => {
          retry.current.count = 0;
          setState({ kind: "open" });
          current.terminal.focus();
        },
        onExit: (code) => {
          window.sessionStorage.removeItem(key);
          setState({ kind: "ended", code });
        },
        onLost,
      });
    },
    [key],
  );

  const reattach = useCallback(() => {
    const sessionId = window.sessionStorage.getItem(key);
    if (sessionId === null) return;
    setState({ kind: "connecting" });
    const again = (): void => {
      const delay = REATTACH_DELAYS_MS[retry.current.count];
      retry.current.count += 1;
      if (delay === undefined) setState({ kind: "lost" });
      else retry.current.timer = setTimeout(reattach, delay);
    };
    client.terminal.reattach.mutate({ sessionId }).then(
      ({ ticket }) => attach(ticket, again),
      (error: unknown) => {
        // An answer means that the session is gone; no answer means that the control plane is.
        if (error instanceof Error && "data" in error && error.data !== undefined && error.data !== null) {
          window.sessionStorage.removeItem(key);
          setState({ kind: "idle", error: null });
        } else again();
      },
    );
  }, [attach, client, key]);

  const open = useCallback(
    ({ command, user }: { command: string[]; user: string | undefined }) => {
      const terminal = screen.current?.terminal;
      if (terminal === undefined) return;
      setState({ kind: "connecting" });
      client.terminal.open
        .mutate({ host, id, command, ...(user === undefined ? {} : { user }), rows: terminal.rows, cols: terminal.cols })
        .then(
          ({ sessionId, ticket }) => {
            window.sessionStorage.setItem(key, sessionId);
            attach(ticket, reattach);
          },
          (error: unknown) => setState({ kind: "idle", error: errorMessage(error) }),
        );
    },
    [attach, client, host, id, key, reattach],
  );

  useEffect(() => {
    if (element.current === null) return undefined;
    const timers = retry.current;
    screen.current = createScreen(element.current);
    reattach();
    return () => {
      clearTimeout(timers.timer);
      connection.current?.close();
      connection.current = null;
      screen.current?.dispose();
      screen.current = null;
    };
  }, [reattach]);
  useEffect(() => {
    screen.current?.paint();
  }, [theme]);

  const forget = useCallback(() => {
    screen.current?.terminal.reset();
    setState({ kind: "idle", error: null });
  }, []);
  return { element, state, open, reattach, forget };
}
