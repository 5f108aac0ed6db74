"use client";

import { useRouter } from "next/navigation";
import { type ReactNode, useEffect } from "react";
import { useTranslations } from "use-intl";
import type { Loadable } from "@/components/frame/loadable.ts";
import { PageTitle } from "@/components/page-title.tsx";
import { PageHeader } from "@/components/ui/page-header.tsx";
import { ErrorState, PartialNotice, Skeleton } from "@/components/ui/states.tsx";
import { errorCode, errorMessage } from "@/trpc/client.ts";

export type DetailPageProps<Data> = {
  /** What the address calls it: the heading until more is known. */
  name: string;
  query: Loadable<Data>;
  /** The title of what is shown when it cannot be read. */
  failed: string;
  /** The list that it is in: Escape goes there. */
  parent: string;
  /** Whether there is a line of tabs, whose place is then held. */
  hasTabs?: boolean;
  children: (data: Data) => ReactNode;
};

/** The one frame of a page about one thing: its place while it loads, why it could not be read, and itself. */
export function DetailPage<Data>({ name, query, failed, parent, hasTabs = false, children }: DetailPageProps<Data>): ReactNode {
  const t = useTranslations("common");
  useEscapeTo(parent);
  const { data, error } = query;
  // What is gone is said to be gone; whatever else went wrong leaves what was read before on the page.
  if (data === undefined || errorCode(error) === "NOT_FOUND") {
    return (
      <>
        <PageTitle text={name} isHidden={error !== null} />
        {error === null ? (
          <DetailSkeleton name={name} hasTabs={hasTabs} />
        ) : (
          <ErrorState title={failed} message={errorMessage(error)} onRetry={() => void query.refetch()} />
        )}
      </>
    );
  }
  return (
    <>
      {error === null ? null : (
        <div className="mb-3">
          <PartialNotice>{t("old", { reason: errorMessage(error) })}</PartialNotice>
        </div>
      )}
      {children(data)}
    </>
  );
}

export type DetailHeaderProps = { title: string; status?: ReactNode; facts?: readonly ReactNode[]; actions?: ReactNode };

/** Name, state, a few facts and what may be done, in one line; also the title of the window. */
export function DetailHeader({ title, status, facts = [], actions }: DetailHeaderProps): ReactNode {
  const shown = facts.filter((fact) => fact !== null && fact !== undefined && fact !== false && fact !== "");
  return (
    <>
      <PageTitle text={title} />
      <PageHeader
        title={title}
        meta={
          <span className="flex min-h-6 min-w-0 flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted">
            {status}
            {shown.map((fact, index) => (
              <span key={index} className="tnum inline-flex min-w-0 items-center gap-1.5">
                {fact}
              </span>
            ))}
          </span>
        }
        actions={actions}
      />
    </>
  );
}

function DetailSkeleton({ name, hasTabs }: { name: string; hasTabs: boolean }): ReactNode {
  return (
    <>
      <PageHeader title={name.replace(/^(sha256:)?([0-9a-f]{12})[0-9a-f]{20,}$/, "$2")} meta={<Skeleton className="h-4 w-24" />} />
      {hasTabs ? <div aria-hidden className="-mx-4 mb-4 h-[calc(2.25rem+1px)] border-b sm:-mx-6" /> : null}
      <Skeleton className="h-72" />
    </>
  );
}

/** Escape goes back to the list, unless something that is open, chosen or written in has a use for it. */
function useEscapeTo(href: string): void {
  const router = useRouter();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && event.target === document.body && !event.defaultPrevented) router.push(href);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [router, href]);
}
