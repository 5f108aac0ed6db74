"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { RowPanel } from "@/components/form/row-panel.tsx";
import { RightsPicker } from "@/components/settings/rights-picker.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { useMe } from "@/components/use-me.ts";
import { formatBytes } from "@/lib/format.ts";
import { type GrantForm, readGrantForm, toGrantForm } from "@/lib/grant-form.ts";
import { formatPortRanges, grantableRights, type Right } from "@/lib/rights.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { GrantRow } from "@/trpc/types.ts";

/** With which teams a host is shared, what they may do there and how much of it. */
export function HostSharing({ host }: { host: string }): ReactNode {
  const t = useTranslations("host.sharing");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.hosts.grants.list.queryOptions({ host }));
  const [edited, setEdited] = useState<GrantRow | "new" | null>(null);
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.hosts.grants.pathKey() });
  return (
    <div className="max-w-3xl space-y-4">
      <p className="text-sm text-muted">{t("body")}</p>
      <RowPanel
        title={t("title")}
        query={query}
        empty={t("empty")}
        render={(grant) => ({
          id: grant.id,
          name: (
            <>
              {grant.team.name} <span className="font-mono text-xs font-normal text-muted">{grant.team.slug}</span>
            </>
          ),
          detail: <GrantFacts grant={grant} />,
          action: (
            <Button size="sm" onClick={() => setEdited(grant)}>
              {t("edit")}
            </Button>
          ),
        })}
        actions={
          <Button size="sm" onClick={() => setEdited("new")}>
            <Plus />
            {t("create")}
          </Button>
        }
        removal={{
          title: ({ team }) => t("removeTitle", { team: team.name }),
          body: t("removeBody"),
          work: async ({ id }) => {
            await client.hosts.grants.remove.mutate({ host, id });
            await refresh();
          },
        }}
      />
      {edited === null ? null : (
        <GrantDialog host={host} grant={edited === "new" ? null : edited} onClose={() => setEdited(null)} onSaved={refresh} />
      )}
    </div>
  );
}

function GrantFacts({ grant }: { grant: GrantRow }): ReactNode {
  const t = useTranslations("host.sharing");
  const { containers, cpus, memoryBytes, hostPorts } = grant.limits;
  const limits = [
    ...(containers === undefined ? [] : [t("limits.containers", { count: containers })]),
    ...(cpus === undefined ? [] : [t("limits.cpus", { count: cpus })]),
    ...(memoryBytes === undefined ? [] : [formatBytes(memoryBytes)]),
    ...(hostPorts === undefined
      ? []
      : [hostPorts.length === 0 ? t("limits.noPorts") : t("limits.ports", { ports: formatPortRanges(hostPorts) })]),
  ];
  return [t("rights", { count: grant.rights.length }), ...(limits.length === 0 ? [t("limits.none")] : limits)].join(" · ");
}

type GrantDialogProps = { host: string; grant: GrantRow | null; onClose: () => void; onSaved: () => Promise<void> };

function GrantDialog({ host, grant, onClose, onSaved }: GrantDialogProps): ReactNode {
  const t = useTranslations("host.sharing");
  const client = useTRPCClient();
  const all = grantableRights(useMe()?.rights ?? []);
  const [form, setForm] = useState<GrantForm>(toGrantForm(grant));
  const [rights, setRights] = useState<Right[]>(grant?.rights ?? all);
  const read = readGrantForm(form);
  const set = (change: Partial<GrantForm>): void => setForm({ ...form, ...change });
  const save = useMutation({
    mutationFn: async () => {
      if (read.limits === undefined) return;
      await client.hosts.grants.set.mutate({ host, team: form.team.trim(), rights, limits: read.limits });
      await onSaved();
    },
    onSuccess: onClose,
  });
  const field = (name: "containers" | "cpus" | "memory" | "ports"): ReactNode => (
    <Field label={t(`fields.${name}`)} hint={t(`hints.${name}`)} error={read.wrong.includes(name) ? t(`errors.${name}`) : undefined}>
      {(ids) => <Input {...ids} value={form[name]} onChange={(event) => set({ [name]: event.target.value })} />}
    </Field>
  );
  return (
    <FormDialog
      title={grant === null ? t("create") : t("editTitle", { team: grant.team.name })}
      placement="side"
      onClose={onClose}
      isReady={form.team.trim() !== "" && rights.length > 0 && read.limits !== undefined}
      onSubmit={() => save.mutate()}
      work={save}
    >
      {grant === null ? (
        <Field label={t("fields.team")} hint={t("hints.team")}>
          {(ids) => (
            <Input {...ids} className="font-mono" value={form.team} onChange={(event) => set({ team: event.target.value })} autoFocus />
          )}
        </Field>
      ) : null}
      <div className="grid gap-4 sm:grid-cols-2">
        {field("containers")}
        {field("cpus")}
        {field("memory")}
        {field("ports")}
      </div>
      <RightsPicker rights={all} chosen={rights} onChange={setRights} />
    </FormDialog>
  );
}
