"use client";

import { SlidersHorizontal } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { SearchField } from "@/components/ui/search-field.tsx";
import { useMe } from "@/components/use-me.ts";
import type { UrlState } from "@/components/use-url-state.ts";
import { ACTION_NOUNS, FILTER_NAMES, OUTCOMES, PERIODS, TEXT_NAMES } from "@/lib/activity-filter.ts";

export type ActivityFiltersProps = {
  url: UrlState;
  /** Actions that are in sight: what the field offers beside the nouns. */
  actions: readonly string[];
  children: ReactNode;
};

/** What narrows the activity; all of it is in the address. `children` stand at the end of the line. */
export function ActivityFilters({ url, actions, children }: ActivityFiltersProps): ReactNode {
  const t = useTranslations("activity");
  const isInstanceAdmin = useMe()?.user.isInstanceAdmin === true;
  const isNarrowed = TEXT_NAMES.some((name) => url.get(name) !== null);
  const [isOpen, setOpen] = useState(isNarrowed);
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-center gap-2">
        <SearchField label={t("search")} value={url.get("q") ?? ""} onChange={(q) => url.set({ q })} className="w-full sm:w-64" />
        <Choice url={url} name="outcome" label={t("outcome")} any={t("anyOutcome")} ids={OUTCOMES} words={(id) => t(`outcomes.${id}`)} />
        <Choice url={url} name="period" label={t("period")} any={t("anyTime")} ids={PERIODS} words={(id) => t(`periods.${id}`)} />
        {url.get("period") === "days" ? <Days url={url} /> : null}
        {isInstanceAdmin ? (
          <Choice url={url} name="scope" label={t("scope")} any={t("scopes.team")} ids={["instance"]} words={(id) => t(`scopes.${id}`)} />
        ) : null}
        <Button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <SlidersHorizontal />
          {t("more")}
        </Button>
        {FILTER_NAMES.some((name) => (url.get(name) ?? "") !== "") ? (
          <Button variant="ghost" onClick={() => url.set(Object.fromEntries(FILTER_NAMES.map((name) => [name, null])))}>
            {t("clear")}
          </Button>
        ) : null}
        {children}
      </div>
      {isOpen ? (
        <div className="grid gap-2 sm:grid-cols-3 lg:max-w-3xl">
          {TEXT_NAMES.map((name) => (
            <Input
              key={name}
              aria-label={t(`fields.${name}`)}
              placeholder={t(`fields.${name}`)}
              className={name === "action" ? "font-mono text-xs" : ""}
              list={name === "action" ? "activity-actions" : undefined}
              value={url.get(name) ?? ""}
              onChange={(event) => url.set({ [name]: event.target.value })}
            />
          ))}
          <datalist id="activity-actions">
            {[...new Set([...actions, ...ACTION_NOUNS])].map((action) => (
              <option key={action} value={action} />
            ))}
          </datalist>
        </div>
      ) : null}
    </div>
  );
}

type ChoiceProps<Id extends string> = {
  url: UrlState;
  name: string;
  label: string;
  /** The words of no choice. */
  any: string;
  ids: readonly Id[];
  words: (id: Id) => string;
};

function Choice<Id extends string>({ url, name, label, any, ids, words }: ChoiceProps<Id>): ReactNode {
  return (
    <NativeSelect
      aria-label={label}
      className="w-auto"
      value={ids.find((id) => id === url.get(name)) ?? ""}
      onChange={(event) => url.set({ [name]: event.target.value })}
    >
      <option value="">{any}</option>
      {ids.map((id) => (
        <option key={id} value={id}>
          {words(id)}
        </option>
      ))}
    </NativeSelect>
  );
}

function Days({ url }: { url: UrlState }): ReactNode {
  const t = useTranslations("activity");
  return (["from", "to"] as const).map((name) => (
    <Input
      key={name}
      type="date"
      aria-label={t(`days.${name}`)}
      className="w-36"
      value={url.get(name) ?? ""}
      onChange={(event) => url.set({ [name]: event.target.value })}
    />
  ));
}
