"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { AppearancePanel } from "@/components/settings/appearance-panel.tsx";
import { ApiTokensPanel } from "@/components/settings/api-tokens-panel.tsx";
import { JoinTokensPanel } from "@/components/settings/join-tokens-panel.tsx";
import { MembersPanel } from "@/components/settings/members-panel.tsx";
import { ProfilePanel } from "@/components/settings/profile-panel.tsx";
import { Tabs } from "@/components/ui/tabs.tsx";
import { useMe } from "@/components/use-me.ts";
import { useUrlState } from "@/components/use-url-state.ts";
import { oneOf } from "@/lib/url-state.ts";

const TABS = ["profile", "appearance", "tokens", "members", "join"] as const;
type TabId = (typeof TABS)[number];

/** Those who may not manage people or join tokens do not see these tabs. */
const NEEDED = { members: "team.manage", join: "host.manage" } as const;

export function Settings(): ReactNode {
  const t = useTranslations("settings");
  const url = useUrlState();
  const rights = useMe()?.rights ?? [];
  const content: Record<TabId, () => ReactNode> = {
    profile: () => <ProfilePanel />,
    appearance: () => <AppearancePanel />,
    tokens: () => <ApiTokensPanel />,
    members: () => <MembersPanel />,
    join: () => <JoinTokensPanel />,
  };
  const shown = TABS.filter((id) => !(id in NEEDED) || rights.includes(NEEDED[id as keyof typeof NEEDED]));
  const chosen = oneOf(url.get("tab"), TABS);
  return (
    <div className="-mt-2">
      <Tabs
        label={t("tabsLabel")}
        value={shown.includes(chosen) ? chosen : "profile"}
        onChange={(tab) => url.set({ tab: tab === "profile" ? null : tab })}
        items={shown.map((id) => ({ id, label: t(`tabs.${id}`), content: () => <div className="max-w-3xl">{content[id]()}</div> }))}
      />
    </div>
  );
}
