"use client";

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { TimeAgo } from "@/components/time-ago.tsx";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { cn } from "@/lib/cn.ts";
import { parseTime } from "@/lib/format.ts";
import { notify } from "@/lib/notify.ts";
import { diffFiles, type DiffRow, type FileDiff } from "@/lib/text-diff.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { StackDetails } from "@/trpc/types.ts";

/** Every version of a stack's files, what each changed, and the way back. */
export function RevisionsTab({ stack }: { stack: StackDetails }): ReactNode {
  const t = useTranslations("stacks.revisions");
  const actions = useTranslations("stacks.stack.rollback");
  const client = useTRPCClient();
  const [chosen, setChosen] = useState<number | null>(null);
  const rollback = useAsked(async (revision: number) => {
    await client.stacks.rollback.mutate({ stack: stack.name, revision });
    notify("success", actions("done", { name: stack.name, revision }));
  });
  const current = chosen ?? stack.revisions[0]?.number ?? null;
  const before = stack.revisions.find(({ number }) => current !== null && number < current)?.number ?? null;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,18rem)_minmax(0,1fr)]">
      <ul aria-label={t("title")} className="divide-y overflow-hidden rounded-lg border bg-panel max-lg:max-h-64 max-lg:overflow-y-auto">
        {stack.revisions.map((revision) => (
          <li key={revision.number} className={cn("flex items-center gap-2 pr-2", revision.number === current && "bg-active")}>
            <button
              type="button"
              aria-pressed={revision.number === current}
              onClick={() => setChosen(revision.number)}
              className="min-w-0 flex-1 px-3 py-2 text-left text-sm focus-visible:-outline-offset-2"
            >
              <span className="flex items-center gap-2 font-medium">
                <span className="tnum">{t("revision", { number: revision.number })}</span>
                {revision.number === stack.revision ? <Badge tone="ok">{t("current")}</Badge> : null}
              </span>
              <span className="mt-0.5 block truncate text-xs text-muted">
                <TimeAgo time={parseTime(revision.createdAt) ?? 0} /> · {revision.createdBy}
              </span>
            </button>
            {revision.number === stack.revision || stack.isRemoving ? null : (
              <May right="stack.deploy">
                <Button size="sm" onClick={() => rollback.ask(revision.number)}>
                  {t("use")}
                </Button>
              </May>
            )}
          </li>
        ))}
      </ul>
      {current === null ? null : <RevisionDiff key={current} stack={stack.name} before={before} after={current} />}
      <ConfirmDialog
        isOpen={rollback.subject !== null}
        onOpenChange={rollback.close}
        title={actions("title", { name: stack.name, revision: rollback.subject ?? 0 })}
        body={<p>{actions("body", { revision: rollback.subject ?? 0, current: stack.revision })}</p>}
        confirmLabel={actions("action")}
        isPending={rollback.isPending}
        error={rollback.error}
        onConfirm={rollback.confirm}
      />
    </div>
  );
}

const EMPTY = { source: {} as Record<string, string> };

function RevisionDiff({ stack, before, after }: { stack: string; before: number | null; after: number }): ReactNode {
  const t = useTranslations("stacks.revisions");
  const trpc = useTRPC();
  const forEver = { staleTime: Number.POSITIVE_INFINITY };
  const right = useQuery(trpc.stacks.revision.queryOptions({ stack, revision: after }, forEver));
  const left = useQuery(trpc.stacks.revision.queryOptions({ stack, revision: before ?? 1 }, { ...forEver, enabled: before !== null }));
  const old = before === null ? EMPTY : left.data;
  const diffs = useMemo(
    () => (old === undefined || right.data === undefined ? [] : diffFiles(old.source, right.data.source)),
    [old, right.data],
  );
  const error = right.error ?? left.error;
  if (error !== null) return <ErrorState title={t("loadFailed")} message={errorMessage(error)} />;
  if (old === undefined || right.data === undefined) return <Skeleton className="h-72" />;
  return (
    <div className="min-w-0 space-y-3">
      <p className="text-sm text-muted">{before === null ? t("first") : t("between", { before, after })}</p>
      {diffs.length === 0 ? <p className="text-sm text-muted">{t("same")}</p> : null}
      {diffs.map((file) => (
        <FileDiffView key={file.name} file={file} />
      ))}
    </div>
  );
}

function FileDiffView({ file }: { file: FileDiff }): ReactNode {
  return (
    <section aria-label={file.name} className="min-w-0 overflow-hidden rounded-lg border bg-panel">
      <h3 className="border-b px-3 py-2 font-mono text-xs">{file.name}</h3>
      <div tabIndex={0} className="overflow-x-auto py-1 font-mono text-xs leading-5">
        {file.rows.map((row, index) => (
          <DiffLine key={index} row={row} />
        ))}
      </div>
    </section>
  );
}

const SIGNS = { added: "+", removed: "−", same: " " } as const;

function DiffLine({ row }: { row: DiffRow }): ReactNode {
  const t = useTranslations("stacks.revisions");
  if (row.kind === "skipped") {
    return (
      <p className="flex bg-hover px-3 font-sans text-faint select-none">
        <span aria-hidden className="w-12 shrink-0">
          ⋯
        </span>
        {t("skipped", { count: row.count })}
      </p>
    );
  }
  return (
    <p
      data-diff={row.kind}
      className={cn("flex w-max min-w-full px-3", row.kind === "added" && "bg-ok-soft", row.kind === "removed" && "bg-bad-soft")}
    >
      <span aria-hidden className="tnum w-8 shrink-0 text-faint select-none">
        {row.after ?? row.before}
      </span>
      <span className="w-4 shrink-0 select-none">{SIGNS[row.kind]}</span>
      <span className="whitespace-pre">{row.text === "" ? " " : row.text}</span>
    </p>
  );
}
