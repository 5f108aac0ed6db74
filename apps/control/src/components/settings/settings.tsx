"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { AppearancePanel } from "@/components/settings/appearance-panel.tsx";
import { ApiTokensPanel } from "@/components/settings/api-tokens-panel.tsx";
import { JoinTokensPanel } from "@/components/settings/join-tokens-panel.tsx";
import { MembersPanel } from "@/components/settings/members-panel.tsx";
import { ProfilePanel } from "@/components/settings/profile-panel.tsx";
import { useMe } from "@/components/use-me.ts";

type TabId = "profile" | "appearance" | "tokens" | "members" | "join";

const TABS_OF_MEMBERS: readonly [TabId, ...TabId[]] = ["profile", "appearance", "tokens"];
/** Only administrators manage people and join tokens; others do not see those tabs. */
const TABS: readonly [TabId, ...TabId[]] = [...TABS_OF_MEMBERS, "members", "join"];

export function Settings(): ReactNode {
  const t = useTranslations("settings");
  const isAdmin = useMe()?.user.role === "admin";
  const narrow = (panel: ReactNode) => () => <div className="max-w-3xl">{panel}</div>;
  return (
    <UrlTabs
      label={t("tabsLabel")}
      ids={isAdmin ? TABS : TABS_OF_MEMBERS}
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
