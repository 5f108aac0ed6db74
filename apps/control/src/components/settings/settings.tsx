"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { AppearancePanel } from "@/components/settings/appearance-panel.tsx";
import { ApiTokensPanel } from "@/components/settings/api-tokens-panel.tsx";
import { JoinTokensPanel } from "@/components/settings/join-tokens-panel.tsx";
import { MembersPanel } from "@/components/settings/members-panel.tsx";
import { PeoplePanel } from "@/components/settings/people-panel.tsx";
import { ProfilePanel } from "@/components/settings/profile-panel.tsx";
import { RolesPanel } from "@/components/settings/roles-panel.tsx";
import { SecurityPanel } from "@/components/settings/security-panel.tsx";
import { TeamsPanel } from "@/components/settings/teams-panel.tsx";
import { useMay, useMe } from "@/components/use-me.ts";

type TabId = "profile" | "security" | "appearance" | "tokens" | "members" | "roles" | "join" | "teams" | "people";

const TABS: readonly [TabId, ...TabId[]] = ["profile", "security", "appearance", "tokens"];

export function Settings(): ReactNode {
  const t = useTranslations("settings");
  const isInstanceAdmin = useMe()?.user.isInstanceAdmin === true;
  const managesTeam = useMay("team.manage");
  const managesHosts = useMay("host.manage");
  const ids: readonly [TabId, ...TabId[]] = [
    ...TABS,
    ...(managesTeam ? (["members", "roles"] as const) : []),
    ...(managesHosts ? (["join"] as const) : []),
    ...(isInstanceAdmin ? (["teams", "people"] as const) : []),
  ];
  const narrow = (panel: ReactNode) => () => <div className="max-w-3xl">{panel}</div>;
  return (
    <UrlTabs
      label={t("tabsLabel")}
      ids={ids}
      words={(id) => t(`tabs.${id}`)}
      content={{
        profile: narrow(<ProfilePanel />),
        security: narrow(<SecurityPanel />),
        appearance: narrow(<AppearancePanel />),
        tokens: narrow(<ApiTokensPanel />),
        members: narrow(<MembersPanel />),
        roles: narrow(<RolesPanel />),
        join: narrow(<JoinTokensPanel />),
        teams: narrow(<TeamsPanel />),
        people: narrow(<PeoplePanel />),
      }}
    />
  );
}
