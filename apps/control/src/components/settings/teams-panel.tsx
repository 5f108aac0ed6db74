"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { LineForm } from "@/components/form/line-form.tsx";
import { RowPanel } from "@/components/form/row-panel.tsx";
import { useSwitchTeam } from "@/components/shell/use-switch-team.ts";
import { Button } from "@/components/ui/button.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { useMe } from "@/components/use-me.ts";
import { toSlug } from "@/lib/slug.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { TeamRow } from "@/trpc/types.ts";

/** Every team of the instance, for those who look after it. */
export function TeamsPanel(): ReactNode {
  const t = useTranslations("settings.teams");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const me = useMe();
  const switchTeam = useSwitchTeam();
  const query = useQuery(trpc.teams.list.queryOptions());
  const [edited, setEdited] = useState<TeamRow | null>(null);
  const refresh = async (): Promise<void> => {
    await queryClient.invalidateQueries({ queryKey: trpc.teams.pathKey() });
    await queryClient.invalidateQueries({ queryKey: trpc.me.pathKey() });
  };
  return (
    <div className="space-y-4">
      <RowPanel
        title={t("title")}
        query={query}
        empty=""
        render={(team) => ({
          id: team.id,
          name: team.name,
          detail: (
            <>
              <span className="font-mono">{team.slug}</span> ·{" "}
              {t("counts", { members: team.members, hosts: team.hosts, stacks: team.stacks })}
              {team.sharedHosts > 0 ? ` · ${t("shared", { hosts: team.sharedHosts })}` : ""}
              {team.requiresTwoFactor ? ` · ${t("twoFactor")}` : ""}
            </>
          ),
          action: (
            <>
              {team.id === me?.team.id ? (
                <span className="self-center text-xs text-muted">{t("current")}</span>
              ) : (
                <Button size="sm" onClick={() => switchTeam(team.id)}>
                  {t("enter")}
                </Button>
              )}
              <Button size="sm" onClick={() => setEdited(team)}>
                {t("edit")}
              </Button>
            </>
          ),
        })}
        removal={{
          title: ({ name }) => t("removeTitle", { name }),
          body: t("removeBody"),
          typed: ({ slug }) => slug,
          work: async ({ id }) => {
            await client.teams.remove.mutate({ id });
            await refresh();
          },
        }}
      />
      <NewTeam onCreated={refresh} />
      {edited === null ? null : <EditTeam team={edited} onClose={() => setEdited(null)} onSaved={refresh} />}
    </div>
  );
}

function NewTeam({ onCreated }: { onCreated: () => Promise<void> }): ReactNode {
  const t = useTranslations("settings.teams");
  const trpc = useTRPC();
  const [name, setName] = useState("");
  const [slug, setSlug] = useState<string | null>(null);
  const create = useMutation(
    trpc.teams.create.mutationOptions({
      onSuccess: async () => {
        setName("");
        setSlug(null);
        await onCreated();
      },
    }),
  );
  const shown = slug ?? toSlug(name);
  return (
    <Panel title={t("create")}>
      <LineForm
        action={t("createAction")}
        isReady={name.trim() !== "" && shown !== ""}
        onSubmit={() => create.mutate({ name: name.trim(), slug: shown })}
        work={create}
      >
        <Field label={t("name")} className="min-w-40 flex-1">
          {(ids) => <Input {...ids} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label={t("slug")} className="min-w-40 flex-1">
          {(ids) => <Input {...ids} className="font-mono" value={shown} onChange={(event) => setSlug(event.target.value)} />}
        </Field>
      </LineForm>
      <p className="mt-2 text-xs text-muted">{t("slugHint")}</p>
    </Panel>
  );
}

function EditTeam({ team, onClose, onSaved }: { team: TeamRow; onClose: () => void; onSaved: () => Promise<void> }): ReactNode {
  const t = useTranslations("settings.teams");
  const client = useTRPCClient();
  const [name, setName] = useState(team.name);
  const [requiresTwoFactor, setRequired] = useState(team.requiresTwoFactor);
  const save = useMutation({
    mutationFn: async () => {
      await client.teams.update.mutate({ id: team.id, name: name.trim(), requiresTwoFactor });
      await onSaved();
    },
    onSuccess: onClose,
  });
  return (
    <FormDialog
      title={t("editTitle", { name: team.name })}
      onClose={onClose}
      isReady={name.trim() !== ""}
      onSubmit={() => save.mutate()}
      work={save}
    >
      <Field label={t("name")}>
        {(ids) => <Input {...ids} value={name} onChange={(event) => setName(event.target.value)} autoFocus />}
      </Field>
      <CheckField
        label={t("requireTwoFactor")}
        hint={t("requireHint")}
        checked={requiresTwoFactor}
        onChange={(event) => setRequired(event.target.checked)}
      />
    </FormDialog>
  );
}
