"use client";

import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { RowPanel } from "@/components/form/row-panel.tsx";
import { useRoleName } from "@/components/settings/use-role-name.ts";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu.tsx";
import { SearchField } from "@/components/ui/search-field.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { useMe } from "@/components/use-me.ts";
import { notify } from "@/lib/notify.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { PersonRow } from "@/trpc/types.ts";

/** Everybody of the instance, for those who look after it. */
export function PeoplePanel(): ReactNode {
  const t = useTranslations("settings.people");
  const common = useTranslations("common");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const [search, setSearch] = useState("");
  const roleName = useRoleName();
  const query = useInfiniteQuery(
    trpc.people.list.infiniteQueryOptions({ search }, { getNextPageParam: (page) => page.nextCursor ?? undefined }),
  );
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.people.pathKey() });
  const removing = useAsked(async (person: PersonRow) => {
    await client.people.remove.mutate({ id: person.id });
    await refresh();
  });
  return (
    <div className="space-y-3">
      <SearchField label={t("filter")} value={search} onChange={setSearch} className="max-w-60" />
      <RowPanel
        title={t("title")}
        query={{ ...query, data: query.data?.pages.flatMap((page) => page.items) }}
        empty={t("empty")}
        render={(person) => ({
          id: person.id,
          name: (
            <span className="inline-flex flex-wrap items-center gap-2">
              {person.name}
              {person.isInstanceAdmin ? <Badge>{t("instanceAdmin")}</Badge> : null}
            </span>
          ),
          detail: [
            person.email,
            ...person.memberships.map(({ team, role }) => t("member", { team: team.name, role: roleName(role) })),
            t("sessions", { count: person.sessions }),
            ...(person.hasTwoFactor ? [t("twoFactor")] : []),
          ].join(" · "),
          action: <PersonMenu person={person} onChanged={refresh} onRemove={() => removing.ask(person)} />,
        })}
      />
      {query.hasNextPage ? (
        <Button isPending={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("more")}
        </Button>
      ) : null}
      <ConfirmDialog
        isOpen={removing.subject !== null}
        onOpenChange={removing.close}
        title={t("removeTitle", { name: removing.subject?.name ?? "" })}
        body={<p>{t("removeBody")}</p>}
        typeToConfirm={removing.subject?.email ?? ""}
        confirmLabel={common("remove")}
        isPending={removing.isPending}
        error={removing.error}
        onConfirm={removing.confirm}
      />
    </div>
  );
}

type PersonMenuProps = { person: PersonRow; onChanged: () => Promise<void>; onRemove: () => void };

function PersonMenu({ person, onChanged, onRemove }: PersonMenuProps): ReactNode {
  const t = useTranslations("settings.people");
  const common = useTranslations("common");
  const client = useTRPCClient();
  const me = useMe();
  const act = useMutation({
    mutationFn: async (work: () => Promise<unknown>) => {
      await work();
      await onChanged();
    },
    onError: (error) => notify("error", t("failed", { name: person.name }), { description: errorMessage(error) }),
  });
  const { id, isInstanceAdmin } = person;
  return (
    <Menu
      align="end"
      trigger={
        <Button size="sm" isPending={act.isPending} aria-label={t("menu", { name: person.name })}>
          {t("manage")}
        </Button>
      }
    >
      <MenuItem onSelect={() => act.mutate(() => client.people.setInstanceAdmin.mutate({ id, isInstanceAdmin: !isInstanceAdmin }))}>
        {isInstanceAdmin ? t("endAdmin") : t("makeAdmin")}
      </MenuItem>
      <MenuItem disabled={person.sessions === 0} onSelect={() => act.mutate(() => client.people.endSessions.mutate({ id }))}>
        {t("endSessions")}
      </MenuItem>
      <MenuItem disabled={!person.hasTwoFactor} onSelect={() => act.mutate(() => client.people.resetTwoFactor.mutate({ id }))}>
        {t("resetTwoFactor")}
      </MenuItem>
      <MenuSeparator />
      <MenuItem disabled={id === me?.user.id} onSelect={onRemove}>
        {common("remove")}
      </MenuItem>
    </Menu>
  );
}
