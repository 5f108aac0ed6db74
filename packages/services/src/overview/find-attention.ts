import type { ContainerRow } from "../containers/read-containers.ts";
import type { HostRow } from "../hosts/schemas.ts";
import type { InvitationRow } from "../invitations/manage-invitations.ts";
import type { Mesh } from "../networks/describe-mesh.ts";
import type { RegistryUsage } from "../registry/quota.ts";
import type { TokenRow } from "../tokens/manage-tokens.ts";
import { type Attention, bySeverity } from "./attention.ts";
import { attentionOfContainers } from "./attention-of-containers.ts";
import { attentionOfHost } from "./attention-of-hosts.ts";
import { attentionOfMesh } from "./attention-of-mesh.ts";
import { attentionOfStack, type WatchedStack } from "./attention-of-stacks.ts";
import { attentionOfInvitations, attentionOfRegistry, attentionOfTokens } from "./attention-of-team.ts";

/** What is observed, as far as the caller may see it: what they may not is empty or null. */
export type ObservedState = {
  hosts: readonly HostRow[];
  containers: readonly ContainerRow[];
  stacks: readonly WatchedStack[];
  mesh: Mesh | null;
  registry: RegistryUsage | null;
  tokens: readonly TokenRow[];
  invitations: readonly InvitationRow[];
};

/** What needs somebody now, most urgent first. Pure. */
export function findAttention(state: ObservedState, nowMs: number): Attention[] {
  return bySeverity([
    ...state.hosts.flatMap(attentionOfHost),
    ...state.stacks.flatMap(attentionOfStack),
    ...attentionOfContainers(state.containers, nowMs),
    ...(state.mesh === null ? [] : attentionOfMesh(state.mesh)),
    ...(state.registry === null ? [] : attentionOfRegistry(state.registry)),
    ...attentionOfTokens(state.tokens, nowMs),
    ...attentionOfInvitations(state.invitations),
  ]);
}
