"use client";

import { type ReactNode, useCallback } from "react";
import { useTranslations } from "use-intl";
import { LogView } from "@/components/logs/log-view.tsx";
import type { LogFeed } from "@/components/logs/use-log-lines.ts";
import { NativeSelect } from "@/components/ui/input.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { useTRPCClient } from "@/trpc/client.ts";
import type { StackDetails } from "@/trpc/types.ts";

const FIRST_LINES = 200;

/** What all replicas of a stack, or of one of its services, write, on whichever host. */
export function StackLog({ stack }: { stack: StackDetails }): ReactNode {
  const t = useTranslations("stacks.logs");
  const client = useTRPCClient();
  const url = useUrlState();
  const names = stack.detail.map(({ name }) => name);
  const service = names.find((name) => name === url.get("service"));
  const feed = useCallback<LogFeed>(
    ({ onData, ...handlers }) =>
      client.stacks.onLogs.subscribe(
        { stack: stack.name, tail: FIRST_LINES, follow: true, ...(service === undefined ? {} : { service }) },
        {
          ...handlers,
          onData: ({ lines }) =>
            onData({
              lines: lines.map(({ stream, time, text, service: name, slot, host }) => ({
                stream,
                time,
                text,
                source: { name: /^\d+$/.test(slot) ? `${name}.${slot}` : name, host },
              })),
            }),
        },
      ),
    [client, stack.name, service],
  );
  return (
    <div className="space-y-3">
      <NativeSelect
        aria-label={t("service")}
        className="w-auto"
        value={service ?? ""}
        onChange={(event) => url.set({ service: event.target.value })}
      >
        <option value="">{t("allServices")}</option>
        {names.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </NativeSelect>
      <LogView key={service ?? ""} name={service ?? stack.name} feed={feed} hasStreams downloadUrl={null} />
    </div>
  );
}
