import type { Right } from "./rights.ts";

export type SettingsTab =
  | "profile"
  | "security"
  | "appearance"
  | "tokens"
  | "members"
  | "roles"
  | "accounts"
  | "webhooks"
  | "join"
  | "teams"
  | "people"
  | "guards";
export type SettingsGroup = "account" | "team" | "instance";

const OWN_TABS = ["profile", "security", "appearance", "tokens"] as const;
const INSTANCE_TABS = ["teams", "people", "guards"] as const;
const TEAM_TABS: readonly (readonly [SettingsTab, Right])[] = [
  ["members", "team.manage"],
  ["roles", "team.manage"],
  ["accounts", "token.manage"],
  ["webhooks", "webhook.manage"],
  ["join", "host.manage"],
];

export type SettingsGroups = readonly { id: SettingsGroup; tabs: readonly SettingsTab[] }[];

/** The parts of the settings that somebody may use; nobody known yet has those of every person. */
export function settingsGroups(reader: { rights: readonly Right[]; isInstanceAdmin: boolean } | undefined): SettingsGroups {
  const team = TEAM_TABS.filter(([, right]) => reader?.rights.includes(right)).map(([tab]) => tab);
  return [
    { id: "account", tabs: OWN_TABS },
    ...(team.length === 0 ? [] : [{ id: "team" as const, tabs: team }]),
    ...(reader?.isInstanceAdmin === true ? [{ id: "instance" as const, tabs: INSTANCE_TABS }] : []),
  ];
}

/** What the parts of the team and of the instance need: who opens one by its address without that is told so. */
export const SETTINGS_NEEDS: Readonly<Partial<Record<SettingsTab, Right | "instance">>> = Object.fromEntries([
  ...TEAM_TABS,
  ...INSTANCE_TABS.map((tab) => [tab, "instance"] as const),
]);

/** All of them in a row, with those that are not offered; one's own come first. */
export function tabsOf(groups: SettingsGroups): readonly [SettingsTab, ...SettingsTab[]] {
  const offered: readonly SettingsTab[] = groups.flatMap(({ tabs }) => tabs).filter((tab) => tab !== OWN_TABS[0]);
  const others = [...TEAM_TABS.map(([tab]) => tab), ...INSTANCE_TABS].filter((tab) => !offered.includes(tab));
  return [OWN_TABS[0], ...offered, ...others];
}
