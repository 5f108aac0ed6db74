"use client";

import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import { NativeSelect } from "@/components/ui/input.tsx";
import { Segmented } from "@/components/ui/segmented.tsx";
import { isInState, STATE_FILTERS, type StateFilter } from "@/lib/container-row.ts";
import type { ContainerRow } from "@/trpc/types.ts";

export type ContainerFiltersProps = {
  rows: readonly ContainerRow[];
  state: StateFilter;
  host: string;
  withHost: boolean;
  onChange: (changes: Record<string, string | null>) => void;
};

/** Which states and, where there are several, which host is shown. */
export function ContainerFilters({ rows, state, host, withHost, onChange }: ContainerFiltersProps): ReactNode {
  const t = useTranslations("containers");
  const hosts = useMemo(() => [...new Set(rows.map((row) => row.host.name))].sort(), [rows]);
  const counts = useMemo(() => STATE_FILTERS.map((id) => ({ id, count: rows.filter((row) => isInState(row, id)).length })), [rows]);
  return (
    <>
      <Segmented
        label={t("columns.state")}
        value={state}
        onChange={(next) => onChange({ state: next === "all" ? null : next })}
        items={counts.map(({ id, count }) => ({ id, label: t(`states.${id}`), count }))}
      />
      {withHost && (hosts.length > 1 || host !== "") ? (
        <NativeSelect
          aria-label={t("columns.host")}
          value={host}
          onChange={(event) => onChange({ host: event.target.value })}
          className="w-auto max-w-48"
        >
          <option value="">{t("allHosts")}</option>
          {hosts.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </NativeSelect>
      ) : null}
    </>
  );
}
