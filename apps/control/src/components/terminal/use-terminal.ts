"use client";

import { type RefObject, useEffect, useRef, useState } from "react";
import { TerminalSession, type TerminalState } from "@/components/terminal/session.ts";
import { useTheme } from "@/components/theme.tsx";
import { useTRPCClient } from "@/trpc/client.ts";

export type TerminalHandle = {
  element: RefObject<HTMLDivElement | null>;
  state: TerminalState;
  session: RefObject<TerminalSession | null>;
};

/** A terminal in a container, drawn into `element`; it takes up the session of before a reload by itself. */
export function useTerminal({ host, id }: { host: string; id: string }): TerminalHandle {
  const client = useTRPCClient();
  const { theme } = useTheme();
  const element = useRef<HTMLDivElement>(null);
  const session = useRef<TerminalSession | null>(null);
  const [state, setState] = useState<TerminalState>({ kind: "idle", error: null });
  useEffect(() => {
    if (element.current === null) return undefined;
    const created = new TerminalSession({ client, host, id, element: element.current, onState: setState });
    session.current = created;
    created.reattach();
    return () => {
      session.current = null;
      created.dispose();
    };
  }, [client, host, id]);
  useEffect(() => {
    session.current?.paint();
  }, [theme]);
  return { element, state, session };
}
