"use client";

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { Command } from "@/components/ui/copy-button.tsx";
import { SearchField } from "@/components/ui/search-field.tsx";
import { EmptyState, ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { type ApiField, type ApiOperation, openApi, readApiReference, searchApi } from "@/lib/api-reference.ts";
import { cn } from "@/lib/cn.ts";
import { errorMessage } from "@/trpc/client.ts";

const DOCUMENT = "/api/v1/openapi.json";

async function readDocument(): Promise<ReturnType<typeof readApiReference>> {
  const response = await fetch(DOCUMENT);
  if (!response.ok) throw new Error(`${DOCUMENT}: ${response.status}`);
  return readApiReference(openApi.parse(await response.json()), window.location.origin);
}

/** Every operation of the REST API by what it is about, from the document that this control plane serves. */
export function ApiReference(): ReactNode {
  const t = useTranslations("help.api");
  const url = useUrlState();
  const query = useQuery({ queryKey: ["openapi"], queryFn: readDocument, staleTime: Number.POSITIVE_INFINITY });
  const text = url.get("q") ?? "";
  const groups = useMemo(() => searchApi(query.data ?? [], text), [query.data, text]);
  if (query.isPending) return <Skeleton className="h-96" />;
  if (query.isError) return <ErrorState title={t("failed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />;
  return (
    <div className="lg:flex lg:items-start lg:gap-8">
      <nav aria-label={t("tags")} className="sticky top-16 max-h-[calc(100dvh-5rem)] w-44 shrink-0 overflow-y-auto max-lg:hidden">
        {groups.map(({ tag, operations }) => (
          <a
            key={tag}
            href={`#${anchorOf(tag)}`}
            className="flex h-7 items-center justify-between gap-2 rounded-md px-2 text-sm text-muted hover:bg-hover hover:text-ink"
          >
            <span className="truncate">{tag}</span>
            <span className="tnum text-xs">{operations.length}</span>
          </a>
        ))}
      </nav>
      <div className="min-w-0 flex-1 space-y-6">
        <div className="space-y-3">
          <p className="max-w-prose text-sm text-muted">
            {t.rich("body", {
              document: (words) => (
                <a href={DOCUMENT} className="underline hover:text-ink">
                  {words}
                </a>
              ),
            })}
          </p>
          <SearchField label={t("search")} value={text} onChange={(q) => url.set({ q })} className="w-full sm:w-80" />
        </div>
        {groups.length === 0 ? <EmptyState title={t("noMatch")} /> : null}
        {groups.map(({ tag, operations }) => (
          <section key={tag} id={anchorOf(tag)} className="scroll-mt-16">
            <h2 className="mb-2 text-sm font-semibold">{tag}</h2>
            <div className="rounded-lg border bg-panel">
              {operations.map((operation) => (
                <OperationItem key={operation.id} operation={operation} />
              ))}
            </div>
          </section>
        ))}
      </div>
    </div>
  );
}

const anchorOf = (tag: string): string => `api-${tag.toLowerCase().replace(/\W+/g, "-")}`;

function OperationItem({ operation }: { operation: ApiOperation }): ReactNode {
  // Some hundred tables are not made before somebody opens them.
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="border-b last:border-b-0" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="grid cursor-pointer grid-cols-[3.5rem_minmax(0,1fr)] items-baseline gap-x-2 gap-y-0.5 px-4 py-2 hover:bg-hover md:grid-cols-[3.5rem_minmax(0,1fr)_minmax(0,1fr)]">
        <Method method={operation.method} />
        <code className="min-w-0 font-mono text-xs break-all">{operation.path}</code>
        <span className="min-w-0 text-sm text-muted max-md:col-start-2">{operation.summary}</span>
      </summary>
      {isOpen ? <OperationDetail operation={operation} /> : null}
    </details>
  );
}

function Method({ method }: { method: string }): ReactNode {
  return (
    <span className={cn("font-mono text-xs font-medium", method === "DELETE" ? "text-bad" : method === "GET" ? "text-muted" : "")}>
      {method}
    </span>
  );
}

function OperationDetail({ operation }: { operation: ApiOperation }): ReactNode {
  const t = useTranslations("help.api");
  const { fields, answer } = operation;
  return (
    <div className="space-y-3 border-t px-4 py-3">
      <Command text={operation.example} isWrapped />
      {fields.length === 0 ? null : <Fields title={t("fields")} fields={fields} />}
      <Fields title={t("answer", { status: answer.status, type: answer.type })} fields={answer.fields} />
    </div>
  );
}

function Fields({ title, fields }: { title: string; fields: readonly ApiField[] }): ReactNode {
  const t = useTranslations("help.api");
  return (
    <div>
      <h3 className="text-xs text-muted">{title}</h3>
      <dl className="mt-1 text-xs">
        {fields.map((field) => (
          <div key={`${field.place} ${field.name}`} className="flex flex-wrap gap-x-3 border-b py-1 last:border-b-0">
            <dt className="w-40 shrink-0 font-mono break-all">{field.name}</dt>
            <dd className="min-w-0 flex-1 font-mono break-words text-muted">{field.type}</dd>
            <dd className="shrink-0 text-muted">
              {[...(field.place === "body" ? [] : [t(`places.${field.place}`)]), ...(field.isRequired ? [] : [t("optional")])].join(", ")}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
