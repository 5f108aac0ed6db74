/**
 * Everything that a role can allow, by what it is about. The names are stored in roles, tokens and grants: one is added
 * when it is needed, and none is ever renamed.
 */
export const RIGHT_GROUPS = {
  container: [
    "container.read",
    "container.logs",
    /** Environment, arguments and labels, which hold secrets; without it they are blacked out. */
    "container.inspect",
    "container.processes",
    "container.files",
    "container.writeFiles",
    "container.attach",
    "container.terminal",
    "container.run",
    "container.control",
    "container.remove",
  ],
  image: ["image.read", "image.pull", "image.change", "image.remove"],
  volume: ["volume.read", "volume.change", "volume.remove"],
  network: ["network.read", "network.change", "network.remove"],
  stack: ["stack.read", "stack.logs", "stack.inspect", "stack.deploy", "stack.control", "stack.remove"],
  secret: ["secret.read", "secret.change", "config.read", "config.change"],
  registry: ["registry.pull", "registry.push", "registry.delete", "registry.manage"],
  host: ["host.read", "host.manage", "host.share"],
  team: ["member.read", "team.manage", "audit.read", "token.manage", "webhook.manage"],
} as const;

export type RightGroup = keyof typeof RIGHT_GROUPS;
export type Right = (typeof RIGHT_GROUPS)[RightGroup][number];

export const RIGHTS: readonly Right[] = Object.values(RIGHT_GROUPS).flat();

/** What has a meaning on one host: a grant can lend these to another team, and nothing else. */
const HOST_GROUPS: readonly RightGroup[] = ["container", "image", "volume", "network"];
export const GRANTABLE_RIGHTS: readonly Right[] = [...HOST_GROUPS.flatMap((group) => [...RIGHT_GROUPS[group]]), "host.read"];

/** Roles that every team has. Others are made by the team, of any rights. */
export const BUILT_IN_ROLES = ["owner", "maintainer", "deployer", "viewer"] as const;
export type BuiltInRole = (typeof BUILT_IN_ROLES)[number];

const OF_OWNERS_ALONE: ReadonlySet<Right> = new Set<Right>(["team.manage", "host.share"]);
const OF_MAINTAINERS: ReadonlySet<Right> = new Set<Right>(["registry.manage", "host.manage", "token.manage", "webhook.manage"]);
const OF_VIEWERS: ReadonlySet<Right> = new Set<Right>([
  "container.read",
  "container.logs",
  "image.read",
  "volume.read",
  "network.read",
  "stack.read",
  "stack.logs",
  "secret.read",
  "config.read",
  "registry.pull",
  "host.read",
  "member.read",
]);

const RIGHTS_OF: Readonly<Record<BuiltInRole, ReadonlySet<Right>>> = {
  owner: new Set(RIGHTS),
  maintainer: new Set(RIGHTS.filter((right) => !OF_OWNERS_ALONE.has(right))),
  deployer: new Set(RIGHTS.filter((right) => !OF_OWNERS_ALONE.has(right) && !OF_MAINTAINERS.has(right))),
  viewer: OF_VIEWERS,
};

/** What a built-in role allows: the same set each time, so that it can be compared by identity. */
export function rightsOfRole(role: BuiltInRole): ReadonlySet<Right> {
  return RIGHTS_OF[role];
}

const KNOWN: ReadonlySet<string> = new Set(RIGHTS);

export function isRight(text: string): text is Right {
  return KNOWN.has(text);
}

/** Rights as the database keeps them. What is not known any more allows nothing. */
export function toRights(texts: readonly string[]): ReadonlySet<Right> {
  return new Set(texts.filter(isRight));
}

/** In the order of `RIGHTS`. */
export function listRights(rights: ReadonlySet<Right>): Right[] {
  return RIGHTS.filter((right) => rights.has(right));
}
