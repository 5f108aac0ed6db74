"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { LineForm } from "@/components/form/line-form.tsx";
import { useRoleName } from "@/components/settings/use-role-name.ts";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Facts, Panel } from "@/components/ui/panel.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { useMe } from "@/components/use-me.ts";
import { notify } from "@/lib/notify.ts";
import { useTRPC } from "@/trpc/client.ts";
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
        <LineForm
          action={common("save")}
          variant="outline"
          isReady={name.trim() !== "" && name.trim() !== me.user.name}
          onSubmit={() => update.mutate({ name: name.trim() })}
          work={update}
        >
          <Field label={t("name")} className="min-w-0 flex-1">
            {(ids) => <Input {...ids} value={name} autoComplete="name" onChange={(event) => setName(event.target.value)} />}
          </Field>
        </LineForm>
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
