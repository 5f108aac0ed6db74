"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { RoleOptions } from "@/components/settings/role-options.tsx";
import { SettingsRows } from "@/components/settings/settings-rows.tsx";
import { useRoleName } from "@/components/settings/use-role-name.ts";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { PartialNotice } from "@/components/ui/states.tsx";
import { parseTime } from "@/lib/format.ts";
import { notify } from "@/lib/notify.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** Who was asked to join the team and has not come yet. A link is shown once, to who invites. */
export function InvitationsPanel(): ReactNode {
  const t = useTranslations("settings.invitations");
  const roleName = useRoleName();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.invitations.list.queryOptions());
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.invitations.pathKey() });
  const revoke = useMutation(
    trpc.invitations.revoke.mutationOptions({
      onSuccess: refresh,
      onError: (error) => notify("error", t("revokeFailed"), { description: errorMessage(error) }),
    }),
  );
  return (
    <>
      <NewInvitation onCreated={refresh} />
      <SettingsRows
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
            action: (
              <Button
                size="sm"
                variant="dangerOutline"
                isPending={revoke.isPending && revoke.variables.id === row.id}
                onClick={() => revoke.mutate({ id: row.id })}
              >
                {t("revoke")}
              </Button>
            ),
          };
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
      <form
        noValidate
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate({ email: email.trim(), role });
        }}
      >
        <Field label={t("email")} className="min-w-48 flex-1" error={create.error === null ? undefined : errorMessage(create.error)}>
          {(ids) => <Input {...ids} type="email" value={email} onChange={(event) => setEmail(event.target.value)} />}
        </Field>
        <Field label={t("role")}>
          {(ids) => (
            <NativeSelect {...ids} value={role} onChange={(event) => setRole(event.target.value)}>
              <RoleOptions />
            </NativeSelect>
          )}
        </Field>
        <Button type="submit" variant="primary" disabled={email.trim() === ""} isPending={create.isPending}>
          {t("createAction")}
        </Button>
      </form>
      {create.data === undefined ? null : (
        <div className="mt-4 space-y-2">
          <PartialNotice>{t("once")}</PartialNotice>
          <Command text={create.data.url} isWrapped />
        </div>
      )}
    </Panel>
  );
}
