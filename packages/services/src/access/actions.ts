import type { Right } from "./rights.ts";

/**
 * Who may do what: one row for each action. `needs` are the rights that somebody must have, all of them, in the object's
 * team and, for what lies on a host of another team, by the grant of that host. Or a word: `everyone` needs no sign-in,
 * `owner` is the person that the object belongs to, `member` anybody of the team, `instanceAdmin` who looks after the
 * instance. `publicToo` opens it to everybody for objects that are marked public, `hosts` to the hosts of the object's team.
 */
export type Rule = {
  needs: readonly [Right, ...Right[]] | "everyone" | "owner" | "member" | "instanceAdmin";
  changes: boolean;
  publicToo?: true;
  hosts?: true;
};

export const ACTIONS = {
  "setup.read": { needs: "everyone", changes: false },
  "setup.complete": { needs: "everyone", changes: true },
  "me.read": { needs: "owner", changes: false },
  "me.update": { needs: "owner", changes: true },
  "token.read": { needs: "owner", changes: false },
  "token.create": { needs: "owner", changes: true },
  "token.revoke": { needs: "owner", changes: true },
  "serviceAccount.read": { needs: ["token.manage"], changes: false },
  "serviceAccount.create": { needs: ["token.manage"], changes: true },
  "serviceAccount.remove": { needs: ["token.manage"], changes: true },
  "webhook.read": { needs: ["webhook.manage"], changes: false },
  "webhook.change": { needs: ["webhook.manage"], changes: true },
  "webhook.remove": { needs: ["webhook.manage"], changes: true },
  "me.switchTeam": { needs: "owner", changes: true },
  "session.read": { needs: "owner", changes: false },
  "session.revoke": { needs: "owner", changes: true },
  "team.read": { needs: "instanceAdmin", changes: false },
  "team.create": { needs: "instanceAdmin", changes: true },
  "team.update": { needs: "instanceAdmin", changes: true },
  "team.remove": { needs: "instanceAdmin", changes: true },
  "person.read": { needs: "instanceAdmin", changes: false },
  "person.change": { needs: "instanceAdmin", changes: true },
  "person.remove": { needs: "instanceAdmin", changes: true },
  "access.explain": { needs: ["member.read"], changes: false },
  "role.read": { needs: ["member.read"], changes: false },
  "role.create": { needs: ["team.manage"], changes: true },
  "role.update": { needs: ["team.manage"], changes: true },
  "role.remove": { needs: ["team.manage"], changes: true },
  "invitation.read": { needs: ["team.manage"], changes: false },
  "invitation.create": { needs: ["team.manage"], changes: true },
  "invitation.revoke": { needs: ["team.manage"], changes: true },
  /** Whoever has the link; the use case asks for the person. */
  "invitation.look": { needs: "everyone", changes: false },
  "invitation.accept": { needs: "everyone", changes: true },
  "member.read": { needs: ["member.read"], changes: false },
  "member.create": { needs: ["team.manage"], changes: true },
  "member.setRole": { needs: ["team.manage"], changes: true },
  "member.remove": { needs: ["team.manage"], changes: true },
  "host.read": { needs: ["host.read"], changes: false },
  "host.rename": { needs: ["host.manage"], changes: true },
  "host.remove": { needs: ["host.manage"], changes: true },
  "host.place": { needs: ["host.manage"], changes: true },
  "metrics.read": { needs: ["host.read", "container.read"], changes: false },
  "grant.read": { needs: ["host.share"], changes: false },
  "grant.change": { needs: ["host.share"], changes: true },
  "grant.remove": { needs: ["host.share"], changes: true },
  "joinToken.read": { needs: ["host.manage"], changes: false },
  "joinToken.create": { needs: ["host.manage"], changes: true },
  "joinToken.revoke": { needs: ["host.manage"], changes: true },
  "system.read": { needs: ["host.read"], changes: false },
  "container.read": { needs: ["container.read"], changes: false },
  "container.inspect": { needs: ["container.inspect"], changes: false },
  "container.logs": { needs: ["container.logs"], changes: false },
  "container.processes": { needs: ["container.processes"], changes: false },
  "container.files": { needs: ["container.files"], changes: false },
  "container.writeFiles": { needs: ["container.writeFiles"], changes: true },
  "container.create": { needs: ["container.run"], changes: true },
  "container.change": { needs: ["container.control"], changes: true },
  /** Limits, restart policy, name: what the container is, not whether it runs. */
  "container.update": { needs: ["container.run"], changes: true },
  "container.remove": { needs: ["container.remove"], changes: true },
  /** Reads the program's output and writes to its input. */
  "container.attach": { needs: ["container.attach"], changes: true },
  "container.exec": { needs: ["container.terminal"], changes: true },
  /** A command in a container that somebody ran: its arguments may hold secrets. */
  "container.readExec": { needs: ["container.terminal"], changes: false },
  "container.probe": { needs: ["container.read", "network.read"], changes: false },
  "image.read": { needs: ["image.read"], changes: false },
  /** The files of images go out. */
  "image.save": { needs: ["image.pull"], changes: false },
  "image.change": { needs: ["image.change"], changes: true },
  /** A container's files become an image. */
  "image.commit": { needs: ["image.change", "container.files"], changes: true },
  "image.pull": { needs: ["image.pull"], changes: true },
  "image.push": { needs: ["image.change"], changes: true },
  "image.build": { needs: ["image.change"], changes: true },
  "image.tag": { needs: ["image.change"], changes: true },
  "image.remove": { needs: ["image.remove"], changes: true },
  "volume.read": { needs: ["volume.read"], changes: false },
  "volume.change": { needs: ["volume.change"], changes: true },
  "volume.remove": { needs: ["volume.remove"], changes: true },
  "network.read": { needs: ["network.read"], changes: false },
  "network.change": { needs: ["network.change"], changes: true, hosts: true },
  "network.remove": { needs: ["network.remove"], changes: true, hosts: true },
  "stack.read": { needs: ["stack.read"], changes: false },
  "stack.logs": { needs: ["stack.logs"], changes: false },
  /** Files as they were written, and plans of files: environments hold secrets. */
  "stack.inspect": { needs: ["stack.inspect"], changes: false },
  "stack.deploy": { needs: ["stack.deploy"], changes: true },
  /** A stack of containers that run: their environments become its variables. */
  "stack.planAdoption": { needs: ["stack.inspect", "container.inspect"], changes: false },
  "stack.adopt": { needs: ["stack.deploy", "container.inspect"], changes: true },
  "stack.control": { needs: ["stack.control"], changes: true },
  "stack.remove": { needs: ["stack.remove"], changes: true },
  "secret.read": { needs: ["secret.read"], changes: false },
  "secret.change": { needs: ["secret.change"], changes: true },
  "secret.remove": { needs: ["secret.change"], changes: true },
  "config.read": { needs: ["config.read"], changes: false },
  "config.change": { needs: ["config.change"], changes: true },
  "config.remove": { needs: ["config.change"], changes: true },
  /** What the team may do on a host, and how much of it. */
  "guard.read": { needs: ["host.read"], changes: false },
  "guard.readDefault": { needs: "instanceAdmin", changes: false },
  "guard.change": { needs: "instanceAdmin", changes: true },
  /** That something of the team changed, by kind and id: pages ask again for what they show. */
  "live.read": { needs: "member", changes: false },
  /** Docker's events carry all labels, and the commands of exec. */
  "event.read": { needs: ["container.read", "container.inspect"], changes: false },
  "activity.read": { needs: ["audit.read"], changes: false },
  "activity.export": { needs: ["audit.read"], changes: false },
  /** The chain is of the instance. */
  "activity.verify": { needs: "instanceAdmin", changes: false },
  "registry.read": { needs: ["registry.pull"], changes: false },
  "registry.pull": { needs: ["registry.pull"], changes: false, publicToo: true, hosts: true },
  "registry.push": { needs: ["registry.push"], changes: true },
  "registry.delete": { needs: ["registry.delete"], changes: true },
  "registry.manage": { needs: ["registry.manage"], changes: true },
  /** The clean-up is of the storage of all teams. */
  "registry.review": { needs: "instanceAdmin", changes: false },
  "registry.cleanup": { needs: "instanceAdmin", changes: true },
  "registry.setQuota": { needs: "instanceAdmin", changes: true },
} as const satisfies Record<string, Rule>;

export type Action = keyof typeof ACTIONS;

export function ruleOf(action: Action): Rule {
  return ACTIONS[action];
}

/** Rights that an action needs; none for those that are not about rights. */
export function rightsNeeded(action: Action): readonly Right[] {
  const { needs } = ruleOf(action);
  return typeof needs === "string" ? [] : needs;
}
