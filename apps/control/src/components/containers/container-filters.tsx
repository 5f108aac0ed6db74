"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { SearchField } from "@/components/ui/search-field.tsx";
import { NativeSelect } from "@/components/ui/input.tsx";
import { Segmented } from "@/components/ui/segmented.tsx";
import { type ContainerFilter, isInState, STATE_FILTERS } from "@/lib/container-row.ts";
import type { ContainerRow } from "@/trpc/types.ts";

export type ContainerFiltersProps = {
  rows: readonly ContainerRow[];
  shown: number;
  filter: ContainerFilter;
  withHost: boolean;
  onChange: (changes: Record<string, string | null>) => void;
};

export function ContainerFilters({ rows, shown, filter, withHost, onChange }: ContainerFiltersProps): ReactNode {
  const t = useTranslations("containers");
  const hosts = [...new Set(rows.map((row) => row.host.name))].sort();
  return (
    <div className="flex flex-wrap items-center gap-2">
      <SearchField label={t("filter")} value={filter.text} onChange={(q) => onChange({ q })} className="w-full sm:w-60" />
      <Segmented
        label={t("columns.state")}
        value={filter.state}
        onChange={(state) => onChange({ state: state === "all" ? null : state })}
        items={STATE_FILTERS.map((id) => ({ id, label: t(`states.${id}`), count: rows.filter((row) => isInState(row, id)).length }))}
      />
      {withHost && (hosts.length > 1 || filter.host !== "") ? (
        <NativeSelect
          aria-label={t("columns.host")}
          value={filter.host}
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
      <span role="status" className="tnum ml-auto text-xs text-muted">
        {shown === rows.length ? t("count", { count: shown }) : t("countOf", { shown, count: rows.length })}
      </span>
    </div>
  );
}
