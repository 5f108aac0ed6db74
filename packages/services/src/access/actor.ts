/** Role of a person in a team. */
export const ROLES = ["admin", "member"] as const;
export type Role = (typeof ROLES)[number];

/**
 * What a caller proved who they are with: named, so that long streams can be re-authorised and ended. `password` is
 * Basic authentication at the registry, with the person's id.
 */
export type Credential = { kind: "session"; id: string } | { kind: "token"; id: string } | { kind: "password"; id: string };

export type UserActor = {
  kind: "user";
  userId: string;
  name: string;
  email: string;
  credential: Credential;
  team: { id: string; name: string; slug: string; namespace: string };
  role: Role;
  address: string | null;
};

/** Whoever asks. `system` is the control plane itself (first start, the operator's command line). */
export type Actor =
  | { kind: "anonymous"; address: string | null }
  | UserActor
  | { kind: "host"; hostId: string; name: string; teamId: string; address: string | null }
  | { kind: "system"; name: string; address: null };

export const SYSTEM: Actor = { kind: "system", name: "control plane", address: null };
