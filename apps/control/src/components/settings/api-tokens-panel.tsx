"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { SettingsRows } from "@/components/settings/settings-rows.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { PartialNotice } from "@/components/ui/states.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { parseTime } from "@/lib/format.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";

const EXPIRY_DAYS = [30, 90, 365] as const;

/** Tokens for the docker command, scripts and CI. A token is shown once. */
export function ApiTokensPanel(): ReactNode {
  const t = useTranslations("settings.tokens");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.tokens.list.queryOptions());
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.tokens.pathKey() });
  const revoking = useAsked(async (token: { id: string; name: string }) => {
    await client.tokens.revoke.mutate({ id: token.id });
    await refresh();
  });
  return (
    <div className="space-y-4">
      <CreateToken onCreated={refresh} />
      <SettingsRows
        title={t("title")}
        query={query}
        empty={t("empty")}
        render={(token) => {
          const expires = parseTime(token.expiresAt);
          const used = parseTime(token.lastUsedAt);
          return {
            id: token.id,
            name: token.name,
            detail: (
              <>
                {used === null ? t("neverUsed") : t.rich("lastUsed", { time: () => <TimeAgo time={used} /> })}
                {" · "}
                {expires === null ? t("noExpiry") : t.rich("expires", { time: () => <TimeAgo time={expires} /> })}
              </>
            ),
            action: (
              <Button size="sm" variant="dangerOutline" onClick={() => revoking.ask(token)}>
                {t("revoke")}
              </Button>
            ),
          };
        }}
      />
      <ConfirmDialog
        isOpen={revoking.subject !== null}
        onOpenChange={revoking.close}
        title={t("revokeTitle", { name: revoking.subject?.name ?? "" })}
        body={<p>{t("revokeBody")}</p>}
        confirmLabel={t("revoke")}
        isPending={revoking.isPending}
        error={revoking.error}
        onConfirm={revoking.confirm}
      />
    </div>
  );
}

function CreateToken({ onCreated }: { onCreated: () => Promise<void> }): ReactNode {
  const t = useTranslations("settings.tokens");
  const trpc = useTRPC();
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const create = useMutation(
    trpc.tokens.create.mutationOptions({
      onSuccess: async () => {
        setName("");
        await onCreated();
      },
    }),
  );
  return (
    <Panel title={t("create")}>
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate({ name: name.trim(), expiresInDays: days === "" ? null : Number(days) });
        }}
      >
        <Field label={t("name")} className="min-w-40 flex-1" error={create.error === null ? undefined : errorMessage(create.error)}>
          {(ids) => <Input {...ids} value={name} onChange={(event) => setName(event.target.value)} placeholder={t("namePlaceholder")} />}
        </Field>
        <Field label={t("validFor")}>
          {(ids) => (
            <NativeSelect {...ids} value={days} onChange={(event) => setDays(event.target.value)}>
              {EXPIRY_DAYS.map((choice) => (
                <option key={choice} value={choice}>
                  {t("days", { days: choice })}
                </option>
              ))}
              <option value="">{t("noExpiry")}</option>
            </NativeSelect>
          )}
        </Field>
        <Button type="submit" variant="primary" disabled={name.trim() === ""} isPending={create.isPending}>
          {t("createAction")}
        </Button>
      </form>
      {create.data === undefined ? null : (
        <div className="mt-4 space-y-2">
          <PartialNotice>{t("once")}</PartialNotice>
          <Command text={create.data.token} isWrapped />
        </div>
      )}
    </Panel>
  );
}
