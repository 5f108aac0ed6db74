"use client";

import type { ComponentType, ReactNode } from "react";
import { useTranslations } from "use-intl";
import { lazyPart } from "@/components/frame/lazy-part.tsx";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { useMe } from "@/components/use-me.ts";
import { SETTINGS_NEEDS, settingsGroups, type SettingsTab, tabsOf } from "@/lib/settings-tabs.ts";

/** A part of the settings that comes when it is chosen. */
function part(load: () => Promise<ComponentType>): () => ReactNode {
  const Part = lazyPart(load);
  const Framed = (): ReactNode => (
    <div className="max-w-3xl space-y-4">
      <Part />
    </div>
  );
  return Framed;
}

const PARTS: Readonly<Record<SettingsTab, () => ReactNode>> = {
  profile: part(() => import("@/components/settings/profile-panel.tsx").then((found) => found.ProfilePanel)),
  security: part(() => import("@/components/settings/security-panel.tsx").then((found) => found.SecurityPanel)),
  appearance: part(() => import("@/components/settings/appearance-panel.tsx").then((found) => found.AppearancePanel)),
  tokens: part(() => import("@/components/settings/api-tokens-panel.tsx").then((found) => found.ApiTokensPanel)),
  members: part(() => import("@/components/settings/members-panel.tsx").then((found) => found.MembersPanel)),
  roles: part(() => import("@/components/settings/roles-panel.tsx").then((found) => found.RolesPanel)),
  accounts: part(() => import("@/components/settings/service-accounts-panel.tsx").then((found) => found.ServiceAccountsPanel)),
  webhooks: part(() => import("@/components/settings/webhooks-panel.tsx").then((found) => found.WebhooksPanel)),
  join: part(() => import("@/components/settings/join-tokens-panel.tsx").then((found) => found.JoinTokensPanel)),
  teams: part(() => import("@/components/settings/teams-panel.tsx").then((found) => found.TeamsPanel)),
  people: part(() => import("@/components/settings/people-panel.tsx").then((found) => found.PeoplePanel)),
  guards: part(() => import("@/components/settings/default-guard-panel.tsx").then((found) => found.DefaultGuardPanel)),
};

/** Settings of oneself, of the team and of the instance: what somebody may not change is not there. */
export function Settings(): ReactNode {
  const t = useTranslations("settings");
  const me = useMe();
  const groups = settingsGroups(me === undefined ? undefined : { rights: me.rights, isInstanceAdmin: me.user.isInstanceAdmin });
  return (
    <UrlTabs
      label={t("tabsLabel")}
      ids={tabsOf(groups)}
      groups={groups.map(({ id, tabs }) => ({ label: t(`groups.${id}`), ids: tabs }))}
      words={(id) => t(`tabs.${id}`)}
      content={PARTS}
      needs={SETTINGS_NEEDS}
    />
  );
}
