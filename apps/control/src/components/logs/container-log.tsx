"use client";

import { type ReactNode, useCallback } from "react";
import { LogView } from "@/components/logs/log-view.tsx";
import type { LogFeed } from "@/components/logs/use-log-lines.ts";
import { useTRPCClient } from "@/trpc/client.ts";

const FIRST_LINES = 1_000;

export type ContainerLogProps = { host: string; id: string; name: string; isTty: boolean; startedAt: string };

/** The log of one container. */
export function ContainerLog({ host, id, name, isTty, startedAt }: ContainerLogProps): ReactNode {
  const client = useTRPCClient();
  const feed = useCallback<LogFeed>(
    (handlers) => client.containers.onLogs.subscribe({ host, id, tail: FIRST_LINES, follow: true, timestamps: true }, handlers),
    // A new start follows a new log stream, since the old one ended with the program.
    [client, host, id, startedAt],
  );
  const downloadUrl = `/api/download/log?${new URLSearchParams({ host, id: name }).toString()}`;
  return <LogView name={name} feed={feed} hasStreams={!isTty} downloadUrl={downloadUrl} />;
}
