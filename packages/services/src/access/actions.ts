import type { Role } from "./actor.ts";

/**
 * Who may do what: one row for each action. `everyone` needs no sign-in; a list of roles means members of the object's
 * team with such a role; `owner` means the person that the object belongs to. `publicToo` opens it to everybody for
 * objects that are marked public, `hosts` to the hosts of the object's team.
 */
type Rule = { who: "everyone" | "owner" | readonly Role[]; changes: boolean; publicToo?: true; hosts?: true };

const ADMIN: readonly Role[] = ["admin"];
const ALL: readonly Role[] = ["admin", "member"];

export const ACTIONS = {
  "setup.read": { who: "everyone", changes: false },
  "setup.complete": { who: "everyone", changes: true },
  "me.read": { who: "owner", changes: false },
  "me.update": { who: "owner", changes: true },
  "token.read": { who: "owner", changes: false },
  "token.create": { who: "owner", changes: true },
  "token.revoke": { who: "owner", changes: true },
  "member.read": { who: ALL, changes: false },
  "member.create": { who: ADMIN, changes: true },
  "member.remove": { who: ADMIN, changes: true },
  "host.read": { who: ALL, changes: false },
  "host.rename": { who: ADMIN, changes: true },
  "host.remove": { who: ADMIN, changes: true },
  "joinToken.read": { who: ADMIN, changes: false },
  "joinToken.create": { who: ADMIN, changes: true },
  "joinToken.revoke": { who: ADMIN, changes: true },
  "system.read": { who: ALL, changes: false },
  "container.read": { who: ALL, changes: false },
  "container.logs": { who: ALL, changes: false },
  "container.files": { who: ALL, changes: false },
  "container.writeFiles": { who: ALL, changes: true },
  "container.create": { who: ALL, changes: true },
  "container.change": { who: ALL, changes: true },
  "container.remove": { who: ALL, changes: true },
  "container.exec": { who: ALL, changes: true },
  "container.probe": { who: ALL, changes: false },
  "image.read": { who: ALL, changes: false },
  "image.change": { who: ALL, changes: true },
  "image.pull": { who: ALL, changes: true },
  "image.push": { who: ALL, changes: true },
  "image.build": { who: ALL, changes: true },
  "image.tag": { who: ALL, changes: true },
  "image.remove": { who: ALL, changes: true },
  "volume.read": { who: ALL, changes: false },
  "volume.change": { who: ALL, changes: true },
  "volume.remove": { who: ALL, changes: true },
  "network.read": { who: ALL, changes: false },
  "network.change": { who: ALL, changes: true, hosts: true },
  "network.remove": { who: ALL, changes: true, hosts: true },
  "stack.read": { who: ALL, changes: false },
  "stack.logs": { who: ALL, changes: false },
  "stack.deploy": { who: ALL, changes: true },
  "stack.control": { who: ALL, changes: true },
  "stack.remove": { who: ALL, changes: true },
  "secret.read": { who: ALL, changes: false },
  "secret.change": { who: ALL, changes: true },
  "secret.remove": { who: ALL, changes: true },
  "config.read": { who: ALL, changes: false },
  "config.change": { who: ALL, changes: true },
  "config.remove": { who: ALL, changes: true },
  "host.place": { who: ADMIN, changes: true },
  "event.read": { who: ALL, changes: false },
  "activity.read": { who: ALL, changes: false },
  "activity.export": { who: ADMIN, changes: false },
  "activity.verify": { who: ADMIN, changes: false },
  "registry.read": { who: ALL, changes: false },
  "registry.pull": { who: ALL, changes: false, publicToo: true, hosts: true },
  "registry.push": { who: ALL, changes: true },
  "registry.delete": { who: ALL, changes: true },
  "registry.review": { who: ADMIN, changes: false },
  "registry.manage": { who: ADMIN, changes: true },
} as const satisfies Record<string, Rule>;

export type Action = keyof typeof ACTIONS;

export function ruleOf(action: Action): Rule {
  return ACTIONS[action];
}
