"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { LineForm } from "@/components/form/line-form.tsx";
import { RowPanel } from "@/components/form/row-panel.tsx";
import { ShownOnce } from "@/components/form/shown-once.tsx";
import { RoleOptions } from "@/components/settings/role-options.tsx";
import { useRoleName } from "@/components/settings/use-role-name.ts";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { parseTime } from "@/lib/format.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";

/** Who was asked to join the team and has not come yet. A link is shown once, to who invites. */
export function InvitationsPanel(): ReactNode {
  const t = useTranslations("settings.invitations");
  const roleName = useRoleName();
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.invitations.list.queryOptions());
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.invitations.pathKey() });
  return (
    <>
      <NewInvitation onCreated={refresh} />
      <RowPanel
        title={t("title")}
        query={query}
        empty={t("empty")}
        render={(row) => {
          const ends = parseTime(row.expiresAt);
          return {
            id: row.id,
            name: row.email,
            detail: (
              <>
                {roleName(row.role)} · {t("by", { name: row.invitedBy })} ·{" "}
                {row.isExpired || ends === null ? t("expired") : t.rich("expires", { time: () => <TimeAgo time={ends} /> })}
              </>
            ),
          };
        }}
        removal={{
          label: t("revoke"),
          title: ({ email }) => t("revokeTitle", { email }),
          body: t("revokeBody"),
          work: async ({ id }) => {
            await client.invitations.revoke.mutate({ id });
            await refresh();
          },
        }}
      />
    </>
  );
}

function NewInvitation({ onCreated }: { onCreated: () => Promise<void> }): ReactNode {
  const t = useTranslations("settings.invitations");
  const trpc = useTRPC();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("deployer");
  const create = useMutation(
    trpc.invitations.create.mutationOptions({
      onSuccess: async () => {
        setEmail("");
        await onCreated();
      },
    }),
  );
  return (
    <Panel title={t("create")}>
      <div className="space-y-4">
        <LineForm
          action={t("createAction")}
          isReady={email.trim() !== ""}
          onSubmit={() => create.mutate({ email: email.trim(), role })}
          work={create}
        >
          <Field label={t("email")} className="min-w-48 flex-1">
            {(ids) => <Input {...ids} type="email" value={email} onChange={(event) => setEmail(event.target.value)} />}
          </Field>
          <Field label={t("role")}>
            {(ids) => (
              <NativeSelect {...ids} value={role} onChange={(event) => setRole(event.target.value)}>
                <RoleOptions />
              </NativeSelect>
            )}
          </Field>
        </LineForm>
        {create.data === undefined ? null : <ShownOnce note={t("once")} secret={create.data.url} />}
      </div>
    </Panel>
  );
}
