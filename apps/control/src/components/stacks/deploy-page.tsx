"use client";

import { useQuery } from "@tanstack/react-query";
import { useRouter, useSearchParams } from "next/navigation";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { PageTitle } from "@/components/page-title.tsx";
import { IssueText } from "@/components/stacks/issue-text.tsx";
import { PlanView } from "@/components/stacks/plan-view.tsx";
import { StackFilesEditor } from "@/components/stacks/stack-files-editor.tsx";
import { type StackDraft, useStackDraft } from "@/components/stacks/use-stack-draft.ts";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { PageHeader } from "@/components/ui/page-header.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState, PartialNotice, Skeleton } from "@/components/ui/states.tsx";
import { type BasisChange, basisChanges, type PlanBasis } from "@/lib/plan-basis.ts";
import { FIRST_FILE, nameInFile, STACK_NAME, type StackFiles } from "@/lib/stack-files.ts";
import { stackHref } from "@/lib/stack-href.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { StackIssue } from "@/trpc/types.ts";

/** Writing a stack: its files, the plan for them, and applying it. `?stack=` edits one that is there. */
export function DeployPage(): ReactNode {
  const stack = useSearchParams().get("stack");
  return stack === null ? <Editor stack={null} files={{ [FIRST_FILE]: "" }} /> : <ExistingStack stack={stack} />;
}

function ExistingStack({ stack }: { stack: string }): ReactNode {
  const t = useTranslations("stacks.deploy");
  const trpc = useTRPC();
  const found = useQuery(trpc.stacks.get.queryOptions({ stack }));
  // The revision that was current when the page opened: a newer one must not take away what is being written.
  const [number, setNumber] = useState(0);
  if (number === 0 && found.data !== undefined && found.data.revision > 0) setNumber(found.data.revision);
  const revision = useQuery(trpc.stacks.revision.queryOptions({ stack, revision: number }, { enabled: number > 0, staleTime: Infinity }));
  const error = found.error ?? revision.error;
  if (error !== null) {
    return (
      <>
        <PageTitle text={stack} isHidden />
        <ErrorState title={t("loadFailed", { name: stack })} message={errorMessage(error)} onRetry={() => void found.refetch()} />
      </>
    );
  }
  if (revision.data === undefined) return <Skeleton className="h-96" />;
  const { source } = revision.data;
  const hasFiles = Object.keys(source).length > 0;
  const newest = found.data?.revision ?? number;
  const notice = newest !== number ? t("newer", { newest, number }) : hasFiles ? null : t("noFiles");
  return <Editor key={stack} stack={stack} files={hasFiles ? source : { [FIRST_FILE]: "" }} notice={notice} />;
}

type EditorProps = { stack: string | null; files: StackFiles; notice?: string | null };

function Editor({ stack, files, notice = null }: EditorProps): ReactNode {
  const t = useTranslations("stacks.deploy");
  const router = useRouter();
  const draft = useStackDraft({ name: stack ?? "", files }, (name) => router.push(stackHref({ name })));
  const hasErrors = draft.issues.some(({ severity }) => severity === "error");
  const title = stack === null ? t("title") : t("titleEdit", { name: stack });
  const onFiles = (changed: StackFiles): void => {
    draft.setFiles(changed);
    const named = nameInFile(Object.values(changed)[0] ?? "");
    if (stack === null && draft.name === "" && named !== null) draft.setName(named);
  };
  return (
    <>
      <PageTitle text={title} />
      <PageHeader title={title} />
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1.15fr)_minmax(0,1fr)]">
        <div className="min-w-0 space-y-4">
          {stack === null ? (
            <Field
              label={t("name")}
              hint={t("nameHint")}
              error={draft.name === "" || STACK_NAME.test(draft.name) ? undefined : t("nameHint")}
              className="sm:max-w-80"
            >
              {(ids) => <Input {...ids} autoFocus value={draft.name} onChange={(event) => draft.setName(event.target.value)} />}
            </Field>
          ) : null}
          {notice === null ? null : <PartialNotice>{notice}</PartialNotice>}
          <StackFilesEditor files={draft.files} issues={draft.issues} onChange={onFiles} />
          <IssueList issues={draft.issues} />
        </div>
        <div className="min-w-0 lg:sticky lg:top-16">
          <PlanPanel draft={draft} hasErrors={hasErrors} />
        </div>
      </div>
    </>
  );
}

function PlanPanel({ draft, hasErrors }: { draft: StackDraft; hasErrors: boolean }): ReactNode {
  const t = useTranslations("stacks.deploy");
  return (
    <Panel
      title={t("plan")}
      actions={
        <span className="flex gap-2">
          <Button size="sm" disabled={!draft.canPlan || hasErrors} isPending={draft.isPlanning} onClick={draft.makePlan}>
            {t("makePlan")}
          </Button>
          <Button size="sm" variant="primary" disabled={draft.plan === null} isPending={draft.isApplying} onClick={draft.apply}>
            {t("apply")}
          </Button>
        </span>
      }
    >
      <div className="space-y-3" aria-live="polite">
        {draft.stale === null || draft.plan === null ? null : <StaleNotice stale={draft.stale} basis={draft.plan.basis} />}
        {draft.error === null ? null : (
          <p role="alert" className="text-sm break-words whitespace-pre-wrap text-bad">
            {draft.error}
          </p>
        )}
        {draft.plan === null ? (
          draft.error === null ? (
            <p className="text-sm text-muted">{hasErrors ? t("planAfterFix") : t("planHint")}</p>
          ) : null
        ) : (
          <PlanView plan={draft.plan} />
        )}
      </div>
    </Panel>
  );
}

type StaleNoticeProps = { stale: NonNullable<StackDraft["stale"]>; basis: PlanBasis };

/** What changed between the plan that was refused and the one for what is there now; what was refused for another reason says so itself. */
function StaleNotice({ stale, basis }: StaleNoticeProps): ReactNode {
  const t = useTranslations("stacks.deploy");
  const changes = basisChanges(stale.basis, basis);
  const say = (change: BasisChange): string => {
    if (change.what === "stack") return t("changes.stack");
    if (change.what !== "host") return t(`changes.${change.what}`, { name: change.name });
    const { host, before, after } = change;
    return t("changes.host", { host, before: t(`hostStates.${before}`), after: t(`hostStates.${after}`) });
  };
  return (
    <div role="alert" className="rounded-md bg-warn-soft px-3 py-2 text-sm break-words text-warn">
      {changes.length === 0 ? <p>{stale.message}</p> : <p className="font-medium">{t("stale")}</p>}
      <ul>
        {changes.map((change) => (
          <li key={JSON.stringify(change)}>{say(change)}</li>
        ))}
      </ul>
    </div>
  );
}

function IssueList({ issues }: { issues: readonly StackIssue[] }): ReactNode {
  const t = useTranslations("stacks.deploy");
  if (issues.length === 0) return null;
  return (
    <ul aria-label={t("issues")} className="space-y-1 text-xs">
      {issues.map((issue) => (
        <li key={`${issue.file}:${issue.line}:${issue.column}:${issue.text}`} className="flex gap-2">
          <span className={issue.severity === "error" ? "shrink-0 font-medium text-bad" : "shrink-0 font-medium text-warn"}>
            {t(`severities.${issue.severity}`)}
          </span>
          <span className="min-w-0 break-words">
            <IssueText issue={issue} placeClass="text-muted" />
          </span>
        </li>
      ))}
    </ul>
  );
}
