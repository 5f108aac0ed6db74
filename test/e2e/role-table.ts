// Who sees which page and which of its buttons, and what the API says to who has not the button: one line for each.
import type { Role } from "./role-cast.ts";

/** Roles by their first letters: admin, owner, maintainer, deployer, viewer, watch, guest. */
export const LETTER: Readonly<Record<string, Role>> = {
  A: "admin",
  O: "owner",
  M: "maintainer",
  D: "deployer",
  V: "viewer",
  W: "watch",
  G: "guest",
};

/** A call that does what a button does. */
export type Call = readonly [procedure: string, input: unknown];
export type Action = { who: string; call?: Call };
export type PageLine = {
  path: string;
  /** Whose browser goes there; the others of the first team are told that their role does not allow it. */
  who: string;
  /** Who goes there at all: everybody of the first team unless it is said. */
  among?: string;
  /** What stands on the page for those who may see it. */
  mark: string;
  /** Buttons, links, tabs and boxes by their names. */
  actions?: Readonly<Record<string, Action>>;
  /** A menu by the name of its button, with its entries. */
  menu?: { name: string; entries: Readonly<Record<string, Action>> };
};

const web = { host: "h1", id: "harbour-web" };
const CHANGE = "AOMD";

const OF_CONTAINER: Readonly<Record<string, Action>> = {
  Stop: { who: "AOMDW", call: ["containers.action", { ...web, action: "stop" }] },
  Kill: { who: "AOMDW", call: ["containers.action", { ...web, action: "kill" }] },
  Logs: { who: "AOMDV" },
  Terminal: { who: CHANGE, call: ["terminal.open", { ...web, rows: 24, cols: 80 }] },
  Remove: { who: CHANGE, call: ["containers.remove", { ...web, force: true, volumes: false }] },
};

export const HARBOUR_PAGES: readonly PageLine[] = [
  {
    path: "/containers",
    who: "AOMDVW",
    mark: "harbour-web",
    actions: { "Run a container": { who: CHANGE }, "Select all rows": { who: "AOMDW" } },
    menu: { name: "Actions for harbour-web", entries: OF_CONTAINER },
  },
  {
    path: "/containers/h1/harbour-web",
    who: "AOMDVW",
    mark: "Restart policy",
    actions: {
      Stop: { who: "AOMDW" },
      Restart: { who: "AOMDW" },
      Logs: { who: "AOMDV" },
      Terminal: { who: CHANGE },
      Processes: { who: CHANGE },
      Inspect: { who: "AOMDVW" },
    },
    menu: {
      name: "More",
      entries: { Rename: { who: CHANGE, call: ["containers.rename", { ...web, name: "harbour-other" }] }, Remove: { who: CHANGE } },
    },
  },
  { path: "/containers/h1/harbour-web?tab=logs", who: "AOMDV", mark: "it runs" },
  { path: "/containers/h1/harbour-web?tab=terminal", who: CHANGE, mark: "Open terminal" },
  { path: "/containers/h1/harbour-web?tab=mounts", who: CHANGE, mark: "Show values", among: "AOMD" },
  { path: "/containers/h1/harbour-web?tab=mounts", who: "VW", mark: "Hidden: to read environment", among: "VW" },
  { path: "/run", who: CHANGE, mark: "Paste docker run" },
  {
    path: "/hosts",
    who: "AOMDVW",
    mark: "h3",
    actions: { "Add host": { who: "AOM", call: ["hosts.joinTokens.create", { expiresInMinutes: 5, uses: 1 }] } },
    menu: {
      name: "Actions for h2",
      entries: {
        "Run a container here": { who: CHANGE },
        Rename: { who: "AOM", call: ["hosts.rename", { host: "h2", name: "other" }] },
        "Remove host": { who: "AOM", call: ["hosts.remove", { host: "h2" }] },
      },
    },
  },
  {
    path: "/hosts/h2",
    who: "AOMDVW",
    mark: "Stacks on this host",
    actions: {
      Images: { who: "AOMDV" },
      Sharing: { who: "AO", call: ["hosts.grants.set", { host: "h2", team: "guests", rights: ["host.read"], limits: {} }] },
      Edit: { who: "AOM", call: ["hosts.place", { host: "h2", availability: "drain" }] },
    },
  },
  {
    path: "/images",
    who: "AOMDV",
    mark: "busybox",
    actions: {
      Pull: { who: CHANGE },
      Build: { who: CHANGE },
      Upload: { who: CHANGE, call: ["images.tag", { host: "h1", id: "busybox:latest", name: "other:1" }] },
      "Remove busybox:latest": { who: CHANGE, call: ["images.remove", { host: "h3", id: "busybox:latest" }] },
    },
  },
  {
    path: "/volumes",
    who: "AOMDV",
    mark: "harbour-data",
    actions: {
      "Create volume": { who: CHANGE, call: ["volumes.create", { host: "h1", name: "harbour-more" }] },
      "Remove harbour-data": { who: CHANGE, call: ["volumes.remove", { host: "h1", name: "harbour-data" }] },
    },
  },
  {
    path: "/networks",
    who: "AOMDV",
    mark: "all hosts",
    actions: {
      "Create network": { who: CHANGE, call: ["networks.create", { name: "harbour-more" }] },
      "Remove web": { who: CHANGE, call: ["networks.remove", { network: "web" }] },
    },
  },
  {
    path: "/networks/web",
    who: "AOMDV",
    mark: "first",
    actions: {
      Connect: { who: CHANGE, call: ["networks.connect", { host: "h1", network: "web", container: "harbour-web" }] },
      "Disconnect first": { who: CHANGE, call: ["networks.disconnect", { host: "h1", network: "web", container: "first" }] },
    },
  },
  { path: "/stacks", who: "AOMDV", mark: "harbour-shop", actions: { "New stack": { who: CHANGE } } },
  {
    path: "/stacks/harbour-shop",
    who: "AOMDV",
    mark: "1 / 1",
    actions: {
      Edit: { who: CHANGE, call: ["stacks.deploy", { name: "harbour-shop", files: { "compose.yaml": "services: {}" } }] },
      Revisions: { who: CHANGE, call: ["stacks.rollback", { stack: "harbour-shop", revision: 1 }] },
      Logs: { who: "AOMDV" },
    },
    menu: {
      name: "More for harbour-shop",
      entries: {
        "Rebalance…": { who: CHANGE, call: ["stacks.rebalance", { stack: "harbour-shop" }] },
        "Remove stack": { who: CHANGE, call: ["stacks.remove", { stack: "harbour-shop" }] },
      },
    },
  },
  { path: "/stacks/harbour-shop?tab=revisions", who: CHANGE, mark: "Revision 1" },
  { path: "/deploy", who: CHANGE, mark: "compose.yaml" },
  {
    path: "/secrets",
    who: "AOMDV",
    mark: "harbour-password",
    actions: {
      "New secret": { who: CHANGE, call: ["secrets.set", { name: "harbour-more", base64: "eA==" }] },
      "Remove harbour-password": { who: CHANGE, call: ["secrets.remove", { name: "harbour-password" }] },
    },
  },
  { path: "/registry", who: "AOMDV", mark: "team/harbour" },
  {
    path: "/registry/team/harbour",
    who: "AOMDV",
    mark: "private",
    actions: { Retention: { who: "AOM", call: ["registry.repositories.delete", { repository: "team/harbour" }] } },
  },
  {
    path: "/registry?tab=upstreams",
    who: "AOMDV",
    mark: "No upstreams yet",
    actions: { "Add upstream": { who: "AOM", call: ["registry.upstreams.remove", { name: "hub" }] } },
  },
  {
    path: "/activity",
    who: "AOMDW",
    mark: "Export",
    actions: { "Verify the chain": { who: "A" } },
  },
  { path: "/settings?tab=webhooks", who: "AOM", mark: "Nobody is told of events yet." },
  { path: "/settings?tab=teams", who: "A", mark: "New team" },
  {
    path: "/settings",
    who: "AOMDVW",
    mark: "E-mail",
    actions: {
      "API tokens": { who: "AOMDVW" },
      Members: { who: "AO", call: ["members.create", { name: "x", email: "x@lab.test", password: "long enough for it", role: "viewer" }] },
      Roles: { who: "AO", call: ["roles.create", { name: "Other", rights: ["host.read"] }] },
      "Service accounts": { who: "AOM", call: ["serviceAccounts.create", { name: "ci", role: "viewer" }] },
      Webhooks: { who: "AOM", call: ["webhooks.remove", { id: "none" }] },
      "Join tokens": { who: "AOM" },
      Teams: { who: "A", call: ["teams.create", { name: "Other", slug: "other" }] },
      People: { who: "A" },
    },
  },
];

const app = { host: "h2", id: "guest-app" };

/** What the owner of the other team sees: their own things on the host that is lent to them, and there what was granted. */
export const GUEST_PAGES: readonly PageLine[] = [
  {
    path: "/containers",
    who: "G",
    mark: "guest-app",
    actions: { "Select all rows": { who: "G" } },
    menu: {
      name: "Actions for guest-app",
      entries: {
        Stop: { who: "G" },
        Logs: { who: "G" },
        Terminal: { who: "", call: ["terminal.open", { ...app, rows: 24, cols: 80 }] },
        Remove: { who: "", call: ["containers.remove", { ...app, force: true, volumes: false }] },
      },
    },
  },
  { path: "/containers/h2/guest-app?tab=terminal", who: "", mark: "Open terminal" },
  { path: "/containers/h1/harbour-web", who: "G", mark: "harbour-web on h1 could not be read" },
  {
    path: "/hosts",
    who: "G",
    mark: "h2",
    actions: { "Add host": { who: "G" } },
    menu: {
      name: "Actions for h2",
      entries: { "Run a container here": { who: "G" }, Rename: { who: "", call: ["hosts.rename", { host: "h2", name: "other" }] } },
    },
  },
  {
    path: "/hosts/h2",
    who: "G",
    mark: "Stacks on this host",
    actions: { Sharing: { who: "", call: ["hosts.grants.list", { host: "h2" }] }, Edit: { who: "" } },
  },
  { path: "/hosts/h1", who: "G", mark: "h1 could not be read" },
  {
    path: "/images",
    who: "G",
    mark: "guest-image",
    actions: { "Remove guest-image:1": { who: "", call: ["images.remove", { host: "h2", id: "guest-image:1" }] } },
  },
  { path: "/volumes", who: "G", mark: "No volumes yet" },
  { path: "/networks", who: "G", mark: "guest-net" },
  { path: "/stacks", who: "G", mark: "No stacks yet" },
  { path: "/secrets", who: "G", mark: "guest-password" },
  { path: "/registry", who: "G", mark: "No repositories yet" },
  { path: "/activity", who: "G", mark: "guest-password" },
  { path: "/settings", who: "G", mark: "E-mail", actions: { Members: { who: "G" }, Teams: { who: "" } } },
  { path: "/", who: "G", mark: "Capacity" },
];

/** What of the first team another one's owner asks for: as if it were not there. */
export const FOREIGN_CALLS: readonly Call[] = [
  ["containers.action", { ...web, action: "stop" }],
  ["terminal.open", { ...web, rows: 24, cols: 80 }],
  ["hosts.place", { host: "h1", availability: "drain" }],
  ["stacks.remove", { stack: "harbour-shop" }],
  ["secrets.remove", { name: "harbour-password" }],
  ["networks.remove", { network: "web" }],
  ["registry.repositories.delete", { repository: "team/harbour" }],
];
