"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { RowPanel } from "@/components/form/row-panel.tsx";
import { RightsPicker } from "@/components/settings/rights-picker.tsx";
import { useRoleName } from "@/components/settings/use-role-name.ts";
import { Button } from "@/components/ui/button.tsx";
import { Dialog } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useMe } from "@/components/use-me.ts";
import type { Right } from "@/lib/rights.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { RoleRow } from "@/trpc/types.ts";

/** The roles of the team: those that every team has, and its own, made of rights. */
export function RolesPanel(): ReactNode {
  const t = useTranslations("settings.roles");
  const roleName = useRoleName();
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.roles.list.queryOptions());
  const [edited, setEdited] = useState<RoleRow | "new" | null>(null);
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.roles.pathKey() });
  return (
    <>
      <RowPanel
        title={t("title")}
        query={query}
        empty=""
        render={(role) => ({
          id: role.id,
          name: (
            <span className="inline-flex flex-wrap items-center gap-2">
              {roleName(role)}
              {role.isBuiltIn ? <Badge>{t("builtIn")}</Badge> : null}
            </span>
          ),
          detail: `${role.isBuiltIn ? `${t(`about.${builtIn(role.id)}`)} · ` : ""}${t("counts", { rights: role.rights.length, members: role.members })}`,
          action: (
            <Button size="sm" onClick={() => setEdited(role)}>
              {role.isBuiltIn ? t("look") : t("edit")}
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
          title: ({ name }) => t("removeTitle", { name }),
          body: t("removeBody"),
          instead: ({ isBuiltIn }) => (isBuiltIn ? null : undefined),
          work: async ({ id }) => {
            await client.roles.remove.mutate({ id });
            await refresh();
          },
        }}
      />
      {edited === null ? null : edited !== "new" && edited.isBuiltIn ? (
        <BuiltInRole role={edited} onClose={() => setEdited(null)} />
      ) : (
        <RoleDialog role={edited === "new" ? null : edited} onClose={() => setEdited(null)} onSaved={refresh} />
      )}
    </>
  );
}

function builtIn(id: string): "owner" | "maintainer" | "deployer" | "viewer" {
  return id === "owner" || id === "maintainer" || id === "deployer" ? id : "viewer";
}

/** What a role allows that is the same in every team. */
function BuiltInRole({ role, onClose }: { role: RoleRow; onClose: () => void }): ReactNode {
  const t = useTranslations("settings.roles");
  const roleName = useRoleName();
  return (
    <Dialog isOpen onOpenChange={onClose} title={roleName(role)} description={t("fixed")} placement="side">
      <fieldset disabled>
        <RightsPicker rights={role.rights} chosen={role.rights} onChange={() => undefined} />
      </fieldset>
    </Dialog>
  );
}

function RoleDialog({ role, onClose, onSaved }: { role: RoleRow | null; onClose: () => void; onSaved: () => Promise<void> }): ReactNode {
  const t = useTranslations("settings.roles");
  const client = useTRPCClient();
  const own = useMe()?.rights ?? [];
  const [name, setName] = useState(role?.name ?? "");
  const [rights, setRights] = useState<Right[]>(role?.rights ?? []);
  const save = useMutation({
    mutationFn: async () => {
      if (role === null) await client.roles.create.mutate({ name: name.trim(), rights });
      else await client.roles.update.mutate({ id: role.id, name: name.trim(), rights });
      await onSaved();
    },
    onSuccess: onClose,
  });
  return (
    <FormDialog
      title={role === null ? t("create") : role.name}
      description={t("bound")}
      placement="side"
      onClose={onClose}
      isReady={name.trim() !== ""}
      onSubmit={() => save.mutate()}
      work={save}
    >
      <Field label={t("name")}>
        {(ids) => <Input {...ids} value={name} onChange={(event) => setName(event.target.value)} autoFocus />}
      </Field>
      <RightsPicker rights={own} chosen={rights} onChange={setRights} />
    </FormDialog>
  );
}
