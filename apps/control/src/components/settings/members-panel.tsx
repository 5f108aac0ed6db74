"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { AccessDialog } from "@/components/settings/access-dialog.tsx";
import { CreateMember } from "@/components/settings/create-member.tsx";
import { InvitationsPanel } from "@/components/settings/invitations-panel.tsx";
import { RoleOptions } from "@/components/settings/role-options.tsx";
import { SettingsRows } from "@/components/settings/settings-rows.tsx";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { NativeSelect } from "@/components/ui/input.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { useMe } from "@/components/use-me.ts";
import { notify } from "@/lib/notify.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";

type Member = { id: string; name: string; email: string };

/** The people of the team with their roles, and those who were asked to come. */
export function MembersPanel(): ReactNode {
  const t = useTranslations("settings.members");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const me = useMe();
  const query = useQuery(trpc.members.list.queryOptions());
  const [explained, setExplained] = useState<Member | null>(null);
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.members.pathKey() });
  const removing = useAsked(async (member: Member) => {
    await client.members.remove.mutate({ id: member.id });
    await refresh();
  });
  const setRole = useMutation(
    trpc.members.setRole.mutationOptions({
      onSuccess: refresh,
      onError: (error) => notify("error", t("roleFailed"), { description: errorMessage(error) }),
    }),
  );
  return (
    <div className="space-y-4">
      <SettingsRows
        title={t("title")}
        query={query}
        empty={t("empty")}
        render={(member) => ({
          id: member.id,
          name: member.name,
          detail: `${member.email}${member.hasTwoFactor ? ` · ${t("twoFactor")}` : ""}`,
          action: (
            <div className="flex flex-wrap items-center gap-2">
              <NativeSelect
                aria-label={t("roleOf", { name: member.name })}
                className="w-auto"
                value={member.role.id}
                disabled={setRole.isPending}
                onChange={(event) => setRole.mutate({ id: member.id, role: event.target.value })}
              >
                <RoleOptions />
              </NativeSelect>
              <Button size="sm" onClick={() => setExplained(member)}>
                {t("access")}
              </Button>
              {member.id === me?.user.id ? (
                <span className="text-xs text-muted">{t("you")}</span>
              ) : (
                <Button size="sm" variant="dangerOutline" onClick={() => removing.ask(member)}>
                  {t("remove")}
                </Button>
              )}
            </div>
          ),
        })}
      />
      <InvitationsPanel />
      <CreateMember onCreated={refresh} />
      <ConfirmDialog
        isOpen={removing.subject !== null}
        onOpenChange={removing.close}
        title={t("removeTitle", { name: removing.subject?.name ?? "" })}
        body={<p>{t("removeBody")}</p>}
        typeToConfirm={removing.subject?.email ?? ""}
        confirmLabel={t("remove")}
        isPending={removing.isPending}
        error={removing.error}
        onConfirm={removing.confirm}
      />
      {explained === null ? null : <AccessDialog person={explained} onClose={() => setExplained(null)} />}
    </div>
  );
}
