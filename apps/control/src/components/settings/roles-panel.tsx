"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { RightsPicker } from "@/components/settings/rights-picker.tsx";
import { SettingsRows } from "@/components/settings/settings-rows.tsx";
import { useRoleName } from "@/components/settings/use-role-name.ts";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { useMe } from "@/components/use-me.ts";
import type { Right } from "@/lib/rights.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { RoleRow } from "@/trpc/types.ts";

/** The roles of the team: those that every team has, and its own, made of rights. */
export function RolesPanel(): ReactNode {
  const t = useTranslations("settings.roles");
  const common = useTranslations("common");
  const roleName = useRoleName();
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.roles.list.queryOptions());
  const [edited, setEdited] = useState<RoleRow | "new" | null>(null);
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.roles.pathKey() });
  const removing = useAsked(async (role: RoleRow) => {
    await client.roles.remove.mutate({ id: role.id });
    await refresh();
  });
  return (
    <div className="space-y-4">
      <SettingsRows
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
            <div className="flex gap-2">
              <Button size="sm" onClick={() => setEdited(role)}>
                {role.isBuiltIn ? t("look") : t("edit")}
              </Button>
              {role.isBuiltIn ? null : (
                <Button size="sm" variant="dangerOutline" onClick={() => removing.ask(role)}>
                  {common("remove")}
                </Button>
              )}
            </div>
          ),
        })}
      />
      <Button variant="primary" onClick={() => setEdited("new")}>
        {t("create")}
      </Button>
      {edited === null ? null : <RoleDialog role={edited === "new" ? null : edited} onClose={() => setEdited(null)} onSaved={refresh} />}
      <ConfirmDialog
        isOpen={removing.subject !== null}
        onOpenChange={removing.close}
        title={t("removeTitle", { name: removing.subject?.name ?? "" })}
        body={<p>{t("removeBody")}</p>}
        confirmLabel={common("remove")}
        isPending={removing.isPending}
        error={removing.error}
        onConfirm={removing.confirm}
      />
    </div>
  );
}

function builtIn(id: string): "owner" | "maintainer" | "deployer" | "viewer" {
  return id === "owner" || id === "maintainer" || id === "deployer" ? id : "viewer";
}

function RoleDialog({ role, onClose, onSaved }: { role: RoleRow | null; onClose: () => void; onSaved: () => Promise<void> }): ReactNode {
  const t = useTranslations("settings.roles");
  const common = useTranslations("common");
  const roleName = useRoleName();
  const client = useTRPCClient();
  const own = useMe()?.rights ?? [];
  const [name, setName] = useState(role?.name ?? "");
  const [rights, setRights] = useState<Right[]>(role?.rights ?? []);
  const isFixed = role?.isBuiltIn === true;
  const save = useMutation({
    mutationFn: async () => {
      if (role === null) await client.roles.create.mutate({ name: name.trim(), rights });
      else await client.roles.update.mutate({ id: role.id, name: name.trim(), rights });
      await onSaved();
    },
    onSuccess: onClose,
  });
  const title = role === null ? t("create") : roleName(role);
  return (
    <Dialog isOpen onOpenChange={onClose} title={title} description={isFixed ? t("fixed") : t("bound")} placement="side">
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        {isFixed ? null : (
          <Field label={t("name")} error={save.error === null ? undefined : errorMessage(save.error)}>
            {(ids) => <Input {...ids} value={name} onChange={(event) => setName(event.target.value)} autoFocus />}
          </Field>
        )}
        <fieldset disabled={isFixed}>
          <RightsPicker rights={isFixed ? (role?.rights ?? []) : own} chosen={rights} onChange={setRights} />
        </fieldset>
        {isFixed ? null : (
          <DialogActions>
            <Button onClick={onClose}>{common("cancel")}</Button>
            <Button type="submit" variant="primary" disabled={name.trim() === ""} isPending={save.isPending}>
              {common("save")}
            </Button>
          </DialogActions>
        )}
      </form>
    </Dialog>
  );
}
