"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { FieldIds } from "@/components/ui/field.tsx";
import { NativeSelect } from "@/components/ui/input.tsx";
import { useTRPC } from "@/trpc/client.ts";
import type { HostRow } from "@/trpc/types.ts";

/** Hosts that can be asked for something now: this machine first. */
export function useOnlineHosts(): HostRow[] {
  const trpc = useTRPC();
  const { data } = useQuery(trpc.hosts.list.queryOptions());
  return (data ?? [])
    .filter((host) => host.state === "online")
    .sort((a, b) => Number(b.isLocal) - Number(a.isLocal) || a.name.localeCompare(b.name));
}

export type HostSelectProps = FieldIds & { value: string; onChange: (name: string) => void };

export function HostSelect({ value, onChange, ...ids }: HostSelectProps): ReactNode {
  const t = useTranslations("hosts");
  const hosts = useOnlineHosts();
  return (
    <NativeSelect {...ids} value={value} onChange={(event) => onChange(event.target.value)}>
      {hosts.some((host) => host.name === value) ? null : (
        <option value={value}>{value === "" ? t("noneOnline") : t("notOnline", { name: value })}</option>
      )}
      {hosts.map((host) => (
        <option key={host.id} value={host.name}>
          {host.name}
        </option>
      ))}
    </NativeSelect>
  );
}
