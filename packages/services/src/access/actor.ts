import type { BuiltInRole, Right } from "./rights.ts";

/**
 * What a caller proved who they are with: named, so that long streams can be re-authorised and ended. `password` is
 * Basic authentication at the registry, with the person's id.
 */
export type Credential = { kind: "session"; id: string } | { kind: "token"; id: string } | { kind: "password"; id: string };

/** Role of a person in a team: a built-in one, whose id is its name, or one that the team made. */
export type RoleRef = { id: string; name: string; isBuiltIn: boolean };

export type UserActor = {
  kind: "user";
  userId: string;
  name: string;
  email: string;
  credential: Credential;
  /** The team that they act for now. */
  team: { id: string; name: string; slug: string; namespace: string };
  /** Null for an instance administrator in a team that they are no member of. */
  role: RoleRef | null;
  /** What they may do with objects of the team: what the role allows, and the credential too. */
  rights: ReadonlySet<Right>;
  /** Hosts of other teams that are shared with the team: what is allowed there, by the host's id. */
  grants: ReadonlyMap<string, ReadonlySet<Right>>;
  /** Looks after the instance: teams, people, storage. Acts in each team as an owner. */
  isInstanceAdmin: boolean;
  /** Set for a token of some rights or hosts: it manages no tokens, and does nothing that is not about rights. */
  isScoped?: true;
  /** Set for a token of some hosts: others do not exist for it, and what is of no host it does not change. */
  hostIds?: ReadonlySet<string>;
  /** The team demands a second factor and the person has none: they have no rights there until they do. */
  lacksTwoFactor: boolean;
  address: string | null;
};

/** Whoever asks. `system` is the control plane itself (first start, the operator's command line). */
export type Actor =
  | { kind: "anonymous"; address: string | null }
  | UserActor
  | { kind: "host"; hostId: string; name: string; teamId: string; address: string | null }
  | { kind: "system"; name: string; address: null };

export const SYSTEM: Actor = { kind: "system", name: "control plane", address: null };

export function builtInRole(name: BuiltInRole): RoleRef {
  return { id: name, name, isBuiltIn: true };
}
