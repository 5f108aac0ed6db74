"use client";

import { useQuery } from "@tanstack/react-query";
import { Check, Minus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { useRoleName } from "@/components/settings/use-role-name.ts";
import { Dialog } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { NativeSelect } from "@/components/ui/input.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { groupRights } from "@/lib/rights.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { AccessReport } from "@/trpc/types.ts";

type Explained = AccessReport["rights"][number];

/** "What can X do, and why": each right with what allows it or stands in its way, in the team or on one host. */
export function AccessDialog({ person, onClose }: { person: { id: string; name: string }; onClose: () => void }): ReactNode {
  const t = useTranslations("settings.access");
  const trpc = useTRPC();
  const [host, setHost] = useState("");
  const hosts = useQuery(trpc.hosts.list.queryOptions()).data ?? [];
  const query = useQuery(trpc.members.access.queryOptions({ person: person.id, ...(host === "" ? {} : { host }) }));
  return (
    <Dialog isOpen onOpenChange={onClose} title={t("title", { name: person.name })} placement="side">
      <div className="space-y-4">
        <Field label={t("where")}>
          {(ids) => (
            <NativeSelect {...ids} value={host} onChange={(event) => setHost(event.target.value)}>
              <option value="">{t("everywhere")}</option>
              {hosts.map((row) => (
                <option key={row.id} value={row.id}>
                  {row.isShared ? t("sharedHost", { name: row.name }) : row.name}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        {query.isPending ? <Skeleton className="h-96" /> : null}
        {query.error === null ? null : (
          <ErrorState title={t("failed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />
        )}
        {query.data === undefined ? null : <Rights report={query.data} />}
      </div>
    </Dialog>
  );
}

function Rights({ report }: { report: AccessReport }): ReactNode {
  const t = useTranslations("rights");
  const access = useTranslations("settings.access");
  const byRight = new Map(report.rights.map((row) => [row.right, row]));
  return (
    <div className="space-y-4">
      {groupRights(report.rights.map(({ right }) => right)).map(({ group, rights }) => (
        <section key={group}>
          <h3 className="border-b pb-1 text-xs font-medium">{t(`groups.${group}`)}</h3>
          <ul>
            {rights.map((right) => {
              const row = byRight.get(right);
              const isAllowed = row?.isAllowed === true;
              return (
                <li key={right} className="flex items-start gap-2 border-b py-1.5 text-sm last:border-b-0">
                  {isAllowed ? (
                    <Check aria-label={access("allowed")} className="mt-0.5 size-4 shrink-0 text-ok" />
                  ) : (
                    <Minus aria-label={access("refused")} className="mt-0.5 size-4 shrink-0 text-muted" />
                  )}
                  <span className="min-w-0">
                    <span className={isAllowed ? "" : "text-muted"}>{t(`names.${right}`)}</span>
                    <span className="block text-xs text-muted">{row === undefined ? null : <Why row={row} />}</span>
                  </span>
                </li>
              );
            })}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Why({ row }: { row: Explained }): ReactNode {
  const t = useTranslations("settings.access.because");
  const roleName = useRoleName();
  return row.reasons
    .map((reason) => {
      if (reason.kind === "role" || reason.kind === "notInRole") return t(reason.kind, { role: roleName(reason.role) });
      if (reason.kind === "grant" || reason.kind === "notInGrant") return t(reason.kind, { team: reason.team });
      return t(reason.kind);
    })
    .join(" · ");
}
