import { expect, test } from "vitest";
import { SETTINGS_NEEDS, settingsGroups, tabsOf } from "./settings-tabs.ts";

const allOf = (reader: Parameters<typeof settingsGroups>[0]): readonly string[] => settingsGroups(reader).flatMap(({ tabs }) => tabs);
const OWN = ["profile", "security", "appearance", "tokens"];

test("everybody has settings of their own, also while it is not known who they are", () => {
  expect(allOf(undefined)).toEqual(OWN);
  expect(allOf({ rights: ["container.read"], isInstanceAdmin: false })).toEqual(OWN);
});

test("a right brings what it is for, and nothing else", () => {
  expect(allOf({ rights: ["team.manage"], isInstanceAdmin: false })).toEqual([...OWN, "members", "roles"]);
  expect(allOf({ rights: ["token.manage"], isInstanceAdmin: false })).toEqual([...OWN, "accounts"]);
  expect(allOf({ rights: ["webhook.manage", "host.manage"], isInstanceAdmin: false })).toEqual([...OWN, "webhooks", "join"]);
});

test("who looks after the instance sees its parts last", () => {
  expect(settingsGroups({ rights: [], isInstanceAdmin: true })).toEqual([
    { id: "account", tabs: OWN },
    { id: "instance", tabs: ["teams", "people", "guards"] },
  ]);
});

test("what is not offered can be opened by its address, to be told what it needs", () => {
  const tabs = tabsOf(settingsGroups({ rights: ["team.manage"], isInstanceAdmin: false }));
  expect(tabs).toEqual([...OWN, "members", "roles", "accounts", "webhooks", "join", "teams", "people", "guards"]);
  expect(SETTINGS_NEEDS).toEqual({
    members: "team.manage",
    roles: "team.manage",
    accounts: "token.manage",
    webhooks: "webhook.manage",
    join: "host.manage",
    teams: "instance",
    people: "instance",
    guards: "instance",
  });
});
