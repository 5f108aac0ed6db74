"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { UserPlus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { RowPanel } from "@/components/form/row-panel.tsx";
import { AccessDialog } from "@/components/settings/access-dialog.tsx";
import { CreateMember } from "@/components/settings/create-member.tsx";
import { InvitationsPanel } from "@/components/settings/invitations-panel.tsx";
import { RoleOptions } from "@/components/settings/role-options.tsx";
import { Button } from "@/components/ui/button.tsx";
import { NativeSelect } from "@/components/ui/input.tsx";
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
  const [isCreating, setCreating] = useState(false);
  const [explained, setExplained] = useState<Member | null>(null);
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.members.pathKey() });
  const setRole = useMutation(
    trpc.members.setRole.mutationOptions({
      onSuccess: refresh,
      onError: (error) => notify("error", t("roleFailed"), { description: errorMessage(error) }),
    }),
  );
  return (
    <div className="space-y-4">
      <RowPanel
        title={t("title")}
        query={query}
        empty={t("empty")}
        render={(member) => ({
          id: member.id,
          name: member.name,
          detail: `${member.email}${member.hasTwoFactor ? ` · ${t("twoFactor")}` : ""}`,
          action: (
            <>
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
            </>
          ),
        })}
        actions={
          <Button size="sm" onClick={() => setCreating(true)}>
            <UserPlus />
            {t("create")}
          </Button>
        }
        removal={{
          label: t("remove"),
          title: ({ name }) => t("removeTitle", { name }),
          body: t("removeBody"),
          typed: ({ email }) => email,
          instead: ({ id }) => (id === me?.user.id ? t("you") : undefined),
          work: async ({ id }) => {
            await client.members.remove.mutate({ id });
            await refresh();
          },
        }}
      />
      <InvitationsPanel />
      {isCreating ? <CreateMember onClose={() => setCreating(false)} onCreated={refresh} /> : null}
      {explained === null ? null : <AccessDialog person={explained} onClose={() => setExplained(null)} />}
    </div>
  );
}
