"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { useRoleName } from "@/components/settings/use-role-name.ts";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Facts, Panel } from "@/components/ui/panel.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { useMe } from "@/components/use-me.ts";
import { notify } from "@/lib/notify.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { Me } from "@/trpc/types.ts";

export function ProfilePanel(): ReactNode {
  const me = useMe();
  return me === undefined ? <Skeleton className="h-64" /> : <Profile me={me} />;
}

function Profile({ me }: { me: Me }): ReactNode {
  const t = useTranslations("settings.profile");
  const common = useTranslations("common");
  const roleName = useRoleName();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [name, setName] = useState(me.user.name);
  const update = useMutation(
    trpc.me.update.mutationOptions({
      onSuccess: async () => {
        await queryClient.invalidateQueries({ queryKey: trpc.me.pathKey() });
        notify("success", common("saved"));
      },
    }),
  );
  return (
    <div className="space-y-4">
      <Panel title={t("title")}>
        <form
          className="flex flex-wrap items-end gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            update.mutate({ name: name.trim() });
          }}
        >
          <Field label={t("name")} className="min-w-0 flex-1" error={update.error === null ? undefined : errorMessage(update.error)}>
            {(ids) => <Input {...ids} value={name} autoComplete="name" onChange={(event) => setName(event.target.value)} />}
          </Field>
          <Button type="submit" isPending={update.isPending} disabled={name.trim() === "" || name.trim() === me.user.name}>
            {common("save")}
          </Button>
        </form>
      </Panel>
      <Panel>
        <Facts
          items={[
            { label: t("email"), value: me.user.email },
            { label: t("role"), value: roleName(me.user.role) },
            { label: t("team"), value: me.team.name },
            { label: t("version"), value: me.version },
          ]}
        />
      </Panel>
    </div>
  );
}
