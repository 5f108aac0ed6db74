"use client";

import { ChevronsUpDown } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { useSwitchTeam } from "@/components/shell/use-switch-team.ts";
import { Menu, MenuCheckItem, MenuLabel } from "@/components/ui/menu.tsx";
import type { Me } from "@/trpc/types.ts";

/** The team that the pages are of; a menu for who is in several. */
export function TeamSwitcher({ me }: { me: Me }): ReactNode {
  const t = useTranslations("shell");
  const switchTeam = useSwitchTeam();
  const name = <span className="min-w-0 truncate text-sm font-semibold">{me.team.name}</span>;
  if (me.teams.length < 2) return name;
  return (
    <Menu
      align="start"
      isWide
      trigger={
        <button
          type="button"
          aria-label={t("switchTeam", { team: me.team.name })}
          className="-ml-1 flex h-8 min-w-0 flex-1 items-center gap-1.5 rounded-md px-1 text-left hover:bg-hover"
        >
          {name}
          <ChevronsUpDown aria-hidden className="ml-auto size-3.5 shrink-0 text-muted" />
        </button>
      }
    >
      <MenuLabel>{t("teams")}</MenuLabel>
      {me.teams.map((team) => (
        <MenuCheckItem key={team.id} checked={team.id === me.team.id} onCheckedChange={() => switchTeam(team.id)}>
          <span className="min-w-0 truncate">{team.name}</span>
        </MenuCheckItem>
      ))}
    </Menu>
  );
}
