"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { AppearancePanel } from "@/components/settings/appearance-panel.tsx";
import { ApiTokensPanel } from "@/components/settings/api-tokens-panel.tsx";
import { JoinTokensPanel } from "@/components/settings/join-tokens-panel.tsx";
import { MembersPanel } from "@/components/settings/members-panel.tsx";
import { ProfilePanel } from "@/components/settings/profile-panel.tsx";
import { useMay } from "@/components/use-me.ts";

type TabId = "profile" | "appearance" | "tokens" | "members" | "join";

const TABS: readonly [TabId, ...TabId[]] = ["profile", "appearance", "tokens"];

export function Settings(): ReactNode {
  const t = useTranslations("settings");
  const managesTeam = useMay("team.manage");
  const managesHosts = useMay("host.manage");
  const ids: readonly [TabId, ...TabId[]] = [
    ...TABS,
    ...(managesTeam ? (["members"] as const) : []),
    ...(managesHosts ? (["join"] as const) : []),
  ];
  const narrow = (panel: ReactNode) => () => <div className="max-w-3xl">{panel}</div>;
  return (
    <UrlTabs
      label={t("tabsLabel")}
      ids={ids}
      words={(id) => t(`tabs.${id}`)}
      content={{
        profile: narrow(<ProfilePanel />),
        appearance: narrow(<AppearancePanel />),
        tokens: narrow(<ApiTokensPanel />),
        members: narrow(<MembersPanel />),
        join: narrow(<JoinTokensPanel />),
      }}
    />
  );
}
